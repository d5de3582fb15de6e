"""A ladder to something to look at, one file per format; text and screen share one grid."""
