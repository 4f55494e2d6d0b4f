/** Numbers of draft-ietf-opsawg-pcapng. */

export const BLOCK_SECTION = 0x0a0d0d0a;
export const BLOCK_INTERFACE = 1;
/** Obsolete, but in files of old tools. */
export const BLOCK_PACKET = 2;
export const BLOCK_SIMPLE_PACKET = 3;
export const BLOCK_STATISTICS = 5;
export const BLOCK_ENHANCED_PACKET = 6;

export const BYTE_ORDER_MAGIC = 0x1a2b3c4d;

export const OPTION_END = 0;
export const OPTION_COMMENT = 1;
export const SECTION_HARDWARE = 2;
export const SECTION_SYSTEM = 3;
export const SECTION_APPLICATION = 4;
export const INTERFACE_NAME = 2;
export const INTERFACE_DESCRIPTION = 3;
export const INTERFACE_RESOLUTION = 9;
export const INTERFACE_OFFSET = 14;
export const PACKET_FLAGS = 2;
export const PACKET_DROPPED = 4;
export const STATISTICS_START = 2;
export const STATISTICS_END = 3;
export const STATISTICS_RECEIVED = 4;
export const STATISTICS_DROPPED = 5;

/** Values of the lowest two bits of PACKET_FLAGS. */
export const DIRECTION_IN = 1;
export const DIRECTION_OUT = 2;
