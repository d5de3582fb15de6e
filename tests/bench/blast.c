/* blast INTERFACE FRAMES_PER_SECOND SECONDS FLOWS: TCP data segments at a steady rate, for tests/bench/live.py.
 *
 * Sends on the interface named, in the network namespace it is started in, and stops by itself after at most 30 s.
 * Each flow continues its own sequence numbers, so that a classifier sees data and no retransmissions. The
 * destination's hardware address is nobody's: the receiving kernel drops the frames behind the packet taps.
 * Prints the number of frames sent and the nanoseconds it took.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    BATCH = 32,
    PAYLOAD = 100,
    IP = 14,
    TCP = IP + 20,
    TIMESTAMP_OPTION = TCP + 20,
    FRAME = TIMESTAMP_OPTION + 12 + PAYLOAD,
    LONGEST_S = 30,
    MOST_FLOWS = 10000,
    FIRST_PORT = 20000,
    SERVER_PORT = 5001,
};

static const int64_t SECOND_NS = 1000000000;
static unsigned char frames[BATCH][FRAME];
static uint32_t next_seq[MOST_FLOWS];

static int64_t now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * SECOND_NS + time.tv_nsec;
}

static void store16(unsigned char *at, uint16_t value)
{
    value = htons(value);
    memcpy(at, &value, sizeof value);
}

static void store32(unsigned char *at, uint32_t value)
{
    value = htonl(value);
    memcpy(at, &value, sizeof value);
}

/* RFC 1071, over the IPv4 header. */
static uint16_t header_checksum(const unsigned char *header)
{
    uint32_t sum = 0;
    for (int i = 0; i < 20; i += 2)
        sum += (uint32_t)header[i] << 8 | header[i + 1];
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

static void write_headers(unsigned char *frame)
{
    static const unsigned char nobody[6] = {2, 0, 0, 0, 0, 0xff}, sender[6] = {2, 0, 0, 0, 0, 1};
    memcpy(frame, nobody, 6);
    memcpy(frame + 6, sender, 6);
    store16(frame + 12, ETH_P_IP);
    frame[IP] = 0x45;
    store16(frame + IP + 2, FRAME - IP);
    frame[IP + 6] = 0x40; /* do not fragment */
    frame[IP + 8] = 64;   /* time to live */
    frame[IP + 9] = 6;    /* TCP */
    store32(frame + IP + 12, 0x0a000001);
    store32(frame + IP + 16, 0x0a000002);
    store16(frame + IP + 10, header_checksum(frame + IP));
    store16(frame + TCP + 2, SERVER_PORT);
    store32(frame + TCP + 8, 1);
    frame[TCP + 12] = 0x80; /* eight words of header */
    frame[TCP + 13] = 0x18; /* PSH, ACK */
    store16(frame + TCP + 14, 0xffff);
    memcpy(frame + TIMESTAMP_OPTION, "\x01\x01\x08\x0a", 4);
}

static int packet_socket(const char *interface)
{
    struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(interface)};
    int descriptor = socket(AF_PACKET, SOCK_RAW, 0), buffer = 8 << 20, yes = 1;
    if (descriptor < 0 || !address.sll_ifindex || bind(descriptor, (struct sockaddr *)&address, sizeof address)) {
        perror(interface);
        exit(1);
    }
    setsockopt(descriptor, SOL_SOCKET, SO_SNDBUFFORCE, &buffer, sizeof buffer);
    setsockopt(descriptor, SOL_PACKET, PACKET_QDISC_BYPASS, &yes, sizeof yes);
    return descriptor;
}

static int send_batch(int descriptor, struct mmsghdr *messages, uint64_t sent, unsigned flows)
{
    for (int i = 0; i < BATCH; i++) {
        unsigned flow = (unsigned)((sent + (unsigned)i) % flows);
        store16(frames[i] + TCP, (uint16_t)(FIRST_PORT + flow));
        store32(frames[i] + TCP + 4, next_seq[flow]);
        next_seq[flow] += PAYLOAD;
    }
    int done = sendmmsg(descriptor, messages, BATCH, 0);
    for (int i = done < 0 ? 0 : done; i < BATCH; i++) /* what was not sent is sent the next time */
        next_seq[(sent + (unsigned)i) % flows] -= PAYLOAD;
    return done;
}

int main(int count, char **words)
{
    if (count != 5) {
        fprintf(stderr, "usage: blast INTERFACE FRAMES_PER_SECOND SECONDS FLOWS\n");
        return 2;
    }
    double rate = atof(words[2]);
    int64_t seconds = atoi(words[3]);
    unsigned flows = (unsigned)atoi(words[4]);
    if (rate <= 0 || seconds < 1 || seconds > LONGEST_S || flows < BATCH || flows > MOST_FLOWS) {
        fprintf(stderr, "1 to %d s, %d to %d flows\n", LONGEST_S, BATCH, MOST_FLOWS);
        return 2;
    }
    int descriptor = packet_socket(words[1]);
    struct mmsghdr messages[BATCH] = {0};
    struct iovec parts[BATCH];
    for (int i = 0; i < BATCH; i++) {
        write_headers(frames[i]);
        parts[i] = (struct iovec){.iov_base = frames[i], .iov_len = FRAME};
        messages[i].msg_hdr.msg_iov = &parts[i];
        messages[i].msg_hdr.msg_iovlen = 1;
    }
    int64_t start = now_ns(), elapsed;
    uint64_t sent = 0;
    while ((elapsed = now_ns() - start) < seconds * SECOND_NS) {
        double ahead_ns = ((double)sent / rate) * (double)SECOND_NS - (double)elapsed;
        if (ahead_ns > 20000) {
            struct timespec pause = {0, ahead_ns > 1e8 ? 100000000 : (long)ahead_ns};
            nanosleep(&pause, NULL);
        } else if (ahead_ns <= 0) {
            int done = send_batch(descriptor, messages, sent, flows);
            if (done < 0 && errno != ENOBUFS && errno != EAGAIN) {
                perror("sendmmsg");
                return 1;
            }
            sent += done > 0 ? (uint64_t)done : 0;
        }
    }
    printf("%llu %lld\n", (unsigned long long)sent, (long long)elapsed);
    return 0;
}
