import type { MethodDefinition } from './method.js';

export const widen: MethodDefinition = {
  name: 'widen',
  title: 'WIDEN',
  base: 'required',
  minModels: 1,
  takesRole: true,
  parameters: {
    above_average_value_ratio: {
      scope: 'global',
      type: 'number',
      default: 1,
      min: 0,
      doc: 'A column whose significance is above this multiple of its model’s average is taken with `score_calibration_value`: the paper’s t.',
    },
    score_calibration_value: {
      scope: 'global',
      type: 'number',
      default: 1,
      min: 0,
      doc: 'The score of significant columns: the paper’s s.',
    },
  },
  doc: 'Adds each model’s differences column by column, by how much the column’s length and direction changed beside the model’s other columns: y = b + Σ ½ (S(mᵢ) + S(aᵢ)) (xᵢ - b). mᵢ is the rank of | ‖xᵢ‖ - ‖b‖ | among the n columns, from 0, over n; aᵢ that of 1 - cos(xᵢ, b). S is s where the rank is above t times its mean, else exp of it over the sum of exp over the models. Of an embedding the columns are its tokens’ rows; a vector has | xᵢ - b | itself in place of both ranks.',
  paper: {
    title: 'Extend model merging from fine-tuned to pre-trained large language models via weight disentanglement',
    url: 'https://arxiv.org/abs/2408.03092',
  },
  executable: true,
};
