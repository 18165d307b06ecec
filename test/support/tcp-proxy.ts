import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

export interface ProxyPlan {
  /** Which way is watched: to the service, or back to the client. */
  direction: 'up' | 'down';
  /** Bytes that pass that way, all connections together, before it happens (once). */
  afterBytes: number;
  /** Change one bit; close the connection; or let nothing more through. */
  action: 'flip' | 'cut' | 'hold';
}

/** A line to a service on which something goes wrong. */
export class TcpProxy {
  /** Bytes that passed, each way. */
  readonly passed = { up: 0, down: 0 };
  hasHappened = false;
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    private readonly target: URL,
    private readonly plan: ProxyPlan,
  ) {
    server.on('connection', (client) => this.join(client));
  }

  static async start(target: string, plan: ProxyPlan): Promise<TcpProxy> {
    const server = createServer();
    const proxy = new TcpProxy(server, new URL(target), plan);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${String((this.server.address() as AddressInfo).port)}`;
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private join(client: Socket): void {
    const service = connect(Number(this.target.port), this.target.hostname);
    this.forward(client, service, 'up');
    this.forward(service, client, 'down');
  }

  private forward(from: Socket, to: Socket, direction: 'up' | 'down'): void {
    this.sockets.add(from);
    from.on('error', () => to.destroy());
    from.on('close', () => (this.sockets.delete(from), to.destroy()));
    from.on('data', (chunk: Buffer) => {
      const at = this.plan.afterBytes - this.passed[direction];
      const isHere = !this.hasHappened && direction === this.plan.direction && at < chunk.length;
      if (isHere) this.hasHappened = true;
      if (isHere && this.plan.action === 'cut') return void from.destroy();
      if (isHere && this.plan.action === 'hold') return void from.pause();
      if (isHere) chunk[at] = (chunk[at] ?? 0) ^ 1;
      this.passed[direction] += chunk.length;
      if (!to.write(chunk)) {
        from.pause();
        to.once('drain', () => from.resume());
      }
    });
  }
}
