/** JSON and YAML bodies: the largest published recipe has 54 KB; parsing stays under 50 ms. */
export const bodyLimitBytes = 65_536;

/** A file path in a URL, percent-encoded: 1,024 bytes of path may need three characters each. */
export const maxParamLength = 3_072;

/** Room for a long path, a bearer key and what proxies add. */
export const maxHeaderBytes = 16_384;

/** Time for a request's headers to arrive; a client that needs longer is holding the socket on purpose. */
export const headersTimeoutMs = 15_000;

/** Time for a JSON or YAML body to arrive: 64 KiB at 2 KiB/s. Uploads have no total limit, only the idle one. */
export const bodyTimeoutMs = 30_000;

/** A connection on which nothing moves is closed. Event streams have a heartbeat every 15 s. */
export const idleTimeoutMs = 60_000;

/** Open sockets; beyond, new connections wait in the kernel's queue. */
export const maxConnections = 2_000;
