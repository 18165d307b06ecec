import { Body, Controller, Get, Header, Post, Query } from '@nestjs/common';
import { ApiConsumes, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { Posts } from '../http/posts.decorator.js';
import { Refuses } from '../http/refuses.decorator.js';
import { Returns } from '../http/returns.decorator.js';
import { YamlText } from '../http/yaml-text.js';
import {
  assertExecutable,
  canonicalRecipe,
  methods,
  modelReferences,
  type Recipe,
  RecipeError,
  recipeJsonSchema,
} from '../recipe/index.js';
import { MethodList, ValidatedRecipe, ValidateQuery, ValidateRecipe } from './recipes.schema.js';
import { parseRequestRecipe } from './request-recipe.js';

const ValidateBody = z.union([z.instanceof(YamlText), ValidateRecipe]);

@ApiTags('recipes')
@Controller('v1')
export class RecipesController {
  @Post('recipes/validate')
  @ApiOperation({
    summary: 'Check a recipe',
    description: 'The grammar alone: whether its models exist and fit is what a plan says.',
  })
  @ApiConsumes('application/json', 'application/yaml')
  @Posts()
  @Returns(200, ValidatedRecipe)
  @Refuses(422)
  validate(
    @Body({ schema: ValidateBody }) body: YamlText | ValidateRecipe,
    @Query({ schema: ValidateQuery }) query: ValidateQuery,
  ): ValidatedRecipe {
    const isYaml = body instanceof YamlText;
    const lenient = query.lenient ?? (isYaml ? false : body.lenient);
    const { recipe, warnings } = parseRequestRecipe(isYaml ? body : body.recipe, { lenient });
    return {
      executable: isExecutable(recipe),
      models: modelReferences(recipe),
      canonical: { ...canonicalRecipe(recipe) },
      warnings,
    };
  }

  @Get('methods')
  @ApiOperation({ summary: 'List the merge methods', description: 'With their parameters and what each is for.' })
  @Returns(200, MethodList)
  listMethods(): MethodList {
    const items = Object.values(methods).map(({ parameters, ...method }) => ({
      ...method,
      parameters: Object.entries(parameters).map(([name, parameter]) => ({ name, ...parameter })),
    }));
    return { items };
  }

  @Get('schemas/recipe.json')
  @Header('content-type', 'application/schema+json')
  @ApiOperation({ summary: 'JSON Schema of a recipe', description: 'For the completion of editors.' })
  @ApiResponse({ status: 200, content: { 'application/schema+json': { schema: { type: 'object' } } } })
  schema(): Record<string, unknown> {
    return recipeJsonSchema();
  }
}

function isExecutable(recipe: Recipe): boolean {
  try {
    assertExecutable(recipe);
    return true;
  } catch (error) {
    if (error instanceof RecipeError) return false;
    throw error;
  }
}
