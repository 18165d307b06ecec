import { Body, Controller, Post } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { withinDeadline } from '../http/deadline.js';
import { Posts } from '../http/posts.decorator.js';
import { Refuses } from '../http/refuses.decorator.js';
import { Returns } from '../http/returns.decorator.js';
import { Comparison, ComparisonRequest } from './comparisons.schema.js';
import { ComparisonsService } from './comparisons.service.js';

/** A sample of the weights is read in seconds; what takes longer goes on, and the next attempt finds it done. */
const deadlineMs = 20_000;

@ApiTags('merges')
@Controller('v1/comparisons')
export class ComparisonsController {
  constructor(private readonly comparisons: ComparisonsService) {}

  @Post()
  @ApiOperation({
    summary: 'Compare versions',
    description:
      'How they differ, without merging them: norms and angles of the task vectors by layer and role, and what they say ' +
      'about the choice of a method. Nothing is kept. What takes longer than 20 s answers 503 with Retry-After and goes on: ' +
      'the same request gets the result when it is there.',
  })
  @Posts()
  @Returns(200, Comparison)
  @Refuses(422, 503)
  compare(@Body({ schema: ComparisonRequest }) request: ComparisonRequest): Promise<Comparison> {
    return withinDeadline(deadlineMs, 'Comparing these versions', this.comparisons.compare(request));
  }
}
