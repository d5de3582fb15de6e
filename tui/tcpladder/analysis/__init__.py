"""What each segment is and because of what, timers, gaps, forecast, end verdict. Pure: no I/O, no clock, no screen."""
