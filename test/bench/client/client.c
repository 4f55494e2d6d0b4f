/**
 * The kernel's side of the network benchmarks: one TCP connection, pinned to one CPU.
 *
 *   client echo ADDRESS PORT CPU COUNT [poll]   round trips of 64 bytes; `poll` never sleeps
 *   client send ADDRESS PORT CPU MILLISECONDS   sends, then waits until the peer has taken it all
 *   client receive ADDRESS PORT CPU MILLISECONDS
 *
 * `echo` writes COUNT little-endian u32 of nanoseconds to its output; the others write two u64, bytes
 * and nanoseconds.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { ECHO_BYTES = 64, BULK_BYTES = 1 << 18, TIMEOUT_SECONDS = 10 };

static char buffer[BULK_BYTES];

static void stop(const char *what) {
  fprintf(stderr, "client: %s: %s\n", what, strerror(errno));
  exit(1);
}

static uint64_t now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void pin(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  if (sched_setaffinity(0, sizeof set, &set) != 0) stop("sched_setaffinity");
}

static int open_connection(const char *address, const char *port) {
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (fd < 0) stop("socket");
  int on = 1;
  struct timeval limit = {.tv_sec = TIMEOUT_SECONDS};
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  struct sockaddr_in peer = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
  if (inet_pton(AF_INET, address, &peer.sin_addr) != 1) stop(address);
  if (connect(fd, (struct sockaddr *)&peer, sizeof peer) != 0) stop("connect");
  return fd;
}

static void round_trip(int fd, int flags) {
  if (send(fd, buffer, ECHO_BYTES, 0) != ECHO_BYTES) stop("send");
  uint64_t end_ns = now_ns() + TIMEOUT_SECONDS * 1000000000ull;
  for (int got = 0; got < ECHO_BYTES;) {
    ssize_t bytes = recv(fd, buffer, (size_t)(ECHO_BYTES - got), flags);
    if (bytes > 0) {
      got += (int)bytes;
    } else if (bytes == 0 || flags == 0 || errno != EAGAIN || now_ns() > end_ns) {
      stop("recv");
    }
  }
}

static void echo(int fd, uint32_t count, int flags) {
  uint32_t *samples = calloc(count, sizeof *samples);
  if (samples == NULL) stop("calloc");
  for (uint32_t warm = 0; warm < count / 10; warm++) round_trip(fd, flags);
  for (uint32_t index = 0; index < count; index++) {
    uint64_t start_ns = now_ns();
    round_trip(fd, flags);
    samples[index] = (uint32_t)(now_ns() - start_ns);
  }
  if (fwrite(samples, sizeof *samples, count, stdout) != count) stop("write");
}

static void report(uint64_t bytes, uint64_t took_ns) {
  uint64_t result[2] = {bytes, took_ns};
  if (fwrite(result, sizeof result, 1, stdout) != 1) stop("write");
}

static void send_for(int fd, uint64_t duration_ns) {
  uint64_t start_ns = now_ns();
  uint64_t sent = 0;
  while (now_ns() - start_ns < duration_ns) {
    ssize_t bytes = send(fd, buffer, sizeof buffer, 0);
    if (bytes < 0) stop("send");
    sent += (uint64_t)bytes;
  }
  // The server closes once it has read our end of stream, so all that was sent has arrived by then.
  shutdown(fd, SHUT_WR);
  if (recv(fd, buffer, 1, 0) < 0) stop("waiting for the server's end of stream");
  report(sent, now_ns() - start_ns);
}

static void receive_for(int fd, uint64_t duration_ns) {
  uint64_t start_ns = now_ns();
  uint64_t got = 0;
  while (now_ns() - start_ns < duration_ns) {
    ssize_t bytes = recv(fd, buffer, sizeof buffer, 0);
    if (bytes <= 0) stop("recv");
    got += (uint64_t)bytes;
  }
  report(got, now_ns() - start_ns);
}

int main(int count, char **words) {
  if (count < 6) {
    fprintf(stderr, "usage: client echo|send|receive ADDRESS PORT CPU COUNT|MILLISECONDS [poll]\n");
    return 2;
  }
  pin(atoi(words[4]));
  int fd = open_connection(words[2], words[3]);
  uint64_t amount = strtoull(words[5], NULL, 10);
  if (strcmp(words[1], "echo") == 0) echo(fd, (uint32_t)amount, count > 6 ? MSG_DONTWAIT : 0);
  if (strcmp(words[1], "send") == 0) send_for(fd, amount * 1000000u);
  if (strcmp(words[1], "receive") == 0) receive_for(fd, amount * 1000000u);
  close(fd);
  return 0;
}
