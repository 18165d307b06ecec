import { Module, type OnApplicationShutdown } from '@nestjs/common';
import type { Config } from '../config.js';
import { CONFIG } from '../platform/tokens.js';
import { HubDownloads } from './hub-download.js';
import { HubModels } from './hub-model.js';
import { HubTokensController } from './hub-tokens.controller.js';
import { HubTokens } from './hub-tokens.service.js';
import { HubTransport } from './hub-transport.js';
import { KeptTokens } from './kept-tokens.js';

/** The lines to the Hub that is configured, and the tokens for them: whatever speaks to it does so through these. */
@Module({
  controllers: [HubTokensController],
  providers: [
    ...[HubTransport, HubTokens, KeptTokens],
    {
      provide: HubModels,
      useFactory: (transport: HubTransport, { hubUrl }: Config) =>
        new HubModels(transport, new HubDownloads(hubUrl), hubUrl),
      inject: [HubTransport, CONFIG],
    },
  ],
  exports: [HubTransport, HubModels, HubTokens, KeptTokens],
})
export class HubModule implements OnApplicationShutdown {
  constructor(
    private readonly transport: HubTransport,
    private readonly models: HubModels,
  ) {}

  /** Last: whoever still speaks to the Hub has been called off by then. */
  onApplicationShutdown(): void {
    this.models.close();
    this.transport.close();
  }
}
