import { answering } from "./answering.ts";
import { claiming } from "./claiming.ts";
import type { Mutant } from "./mutant.ts";
import { needs } from "./needs.ts";
import { others } from "./others.ts";
import { refusals } from "./refusals.ts";
import { settling } from "./settling.ts";
import { steps } from "./steps.ts";

export const mutants: Mutant[] = [
  ...settling,
  ...claiming,
  ...steps,
  ...answering,
  ...needs,
  ...refusals,
  ...others,
];
