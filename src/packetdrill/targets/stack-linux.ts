/** Linux's numbers (x86-64) that calls on the stack understand. */
export const AF_INET = 2;
export const AF_INET6 = 10;
export const SOCK_STREAM = 1;
export const SOCK_DGRAM = 2;
export const SOCK_NONBLOCK = 0x800;
export const SOCK_CLOEXEC = 0x80000;

export const O_RDWR = 2;
export const O_NONBLOCK = 0x800;
export const F_GETFD = 1;
export const F_SETFD = 2;
export const F_GETFL = 3;
export const F_SETFL = 4;

export const FIONREAD = 0x541b;
export const SIOCOUTQ = 0x5411;
export const SIOCOUTQNSD = 0x894b;

export const MSG_DONTWAIT = 0x40;
export const MSG_EOR = 0x80;
export const MSG_MORE = 0x8000;
export const MSG_NOSIGNAL = 0x4000;
export const MSG_FASTOPEN = 0x20000000;
export const MSG_TRUNC = 0x20;

export const SHUT_RD = 0;
export const SHUT_RDWR = 2;

export const POLLIN = 0x001;
export const POLLOUT = 0x004;
export const POLLERR = 0x008;
export const POLLHUP = 0x010;
export const POLLNVAL = 0x020;
export const POLLRDNORM = 0x040;
export const POLLWRNORM = 0x100;
export const POLLRDHUP = 0x2000;
export const EPOLLONESHOT = 0x40000000;
export const EPOLLET = 0x80000000;
export const EPOLL_CTL_ADD = 1;
export const EPOLL_CTL_DEL = 2;
export const EPOLL_CTL_MOD = 3;

export const IPPROTO_TCP = 6;
export const IPPROTO_UDP = 17;
export const SOL_SOCKET = 1;
export const SO_REUSEADDR = 2;
export const SO_TYPE = 3;
export const SO_ERROR = 4;
export const SO_SNDBUF = 7;
export const SO_RCVBUF = 8;
export const SO_KEEPALIVE = 9;
export const SO_LINGER = 13;
export const SO_REUSEPORT = 15;
export const SO_ACCEPTCONN = 30;
export const SO_PROTOCOL = 38;
export const SO_DOMAIN = 39;
export const SO_MAX_PACING_RATE = 47;
export const TCP_NODELAY = 1;
export const TCP_KEEPIDLE = 4;
export const TCP_KEEPINTVL = 5;
export const TCP_KEEPCNT = 6;
export const TCP_USER_TIMEOUT = 18;
export const TCP_MAXSEG = 2;
/** Both the option and its control message. */
export const TCP_INQ = 36;
export const TCP_CORK = 3;
export const TCP_QUICKACK = 12;
export const TCP_NOTSENT_LOWAT = 25;
export const IPPROTO_IP = 0;
export const IP_TOS = 1;
export const IP_TTL = 2;
export const IP_MTU_DISCOVER = 10;
export const TCP_CONGESTION = 13;
export const TCP_SYNCNT = 7;
export const TCP_FASTOPEN = 23;
export const TCP_FASTOPEN_CONNECT = 30;
export const TCP_FASTOPEN_NO_COOKIE = 34;

/** enum tcp state of net/tcp_states.h, by our own state numbers (CLOSED to TIME-WAIT). */
export const TCP_STATES: readonly number[] = [7, 10, 2, 3, 1, 4, 5, 8, 11, 9, 6];
