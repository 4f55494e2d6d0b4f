/** Numbers that IANA assigned. */

export const ETHERTYPE_IPV4 = 0x0800;
export const ETHERTYPE_ARP = 0x0806;
export const ETHERTYPE_IPV6 = 0x86dd;

export const PROTOCOL_ICMP = 1;
export const PROTOCOL_TCP = 6;
export const PROTOCOL_UDP = 17;
export const PROTOCOL_ICMPV6 = 58;

export const NEXT_HEADER_HOP_BY_HOP = 0;
export const NEXT_HEADER_ROUTING = 43;
export const NEXT_HEADER_FRAGMENT = 44;
export const NEXT_HEADER_AUTHENTICATION = 51;
export const NEXT_HEADER_DESTINATION = 60;

/** Kinds of TCP options. */
export const TCP_OPTION_EOL = 0;
export const TCP_OPTION_NOP = 1;
export const TCP_OPTION_MSS = 2;
export const TCP_OPTION_WSCALE = 3;
export const TCP_OPTION_SACK_OK = 4;
export const TCP_OPTION_SACK = 5;
export const TCP_OPTION_TIMESTAMP = 8;
export const TCP_OPTION_MD5 = 19;
export const TCP_OPTION_FASTOPEN = 34;
export const TCP_OPTION_ACCECN0 = 172;
export const TCP_OPTION_ACCECN1 = 174;
export const TCP_OPTION_EXPERIMENT = 254;
/** Experiment identifier of TCP Fast Open (RFC 7413 section 4.1.1). */
export const FASTOPEN_MAGIC = 0xf989;
