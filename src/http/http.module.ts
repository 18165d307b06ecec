import { Global, Module } from '@nestjs/common';
import { ApiKeyGuard } from '../auth/api-key.guard.js';
import { Effects } from './effects.js';
import { HealthController } from './health.controller.js';
import { IdempotencyInterceptor } from './idempotency.interceptor.js';
import { IdempotencyService } from './idempotency.service.js';

/** What every feature's controllers share. */
@Global()
@Module({
  controllers: [HealthController],
  providers: [ApiKeyGuard, Effects, IdempotencyInterceptor, IdempotencyService],
  exports: [ApiKeyGuard, Effects, IdempotencyInterceptor],
})
export class HttpModule {}
