import { SetMetadata } from '@nestjs/common';

export const publicKey = 'public';

/** Routes that answer without an API key even when there are keys: health, and nothing that shows or changes data. */
export const Public = (): MethodDecorator & ClassDecorator => SetMetadata(publicKey, true);
