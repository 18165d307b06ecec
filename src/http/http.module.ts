import { Global, Module } from '@nestjs/common';
import { Effects } from './effects.js';
import { HealthController } from './health.controller.js';
import { IdempotencyInterceptor } from './idempotency.interceptor.js';
import { IdempotencyService } from './idempotency.service.js';

/** What every feature's controllers share. */
@Global()
@Module({
  controllers: [HealthController],
  providers: [Effects, IdempotencyInterceptor, IdempotencyService],
  exports: [Effects, IdempotencyInterceptor],
})
export class HttpModule {}
