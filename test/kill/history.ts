/** A history to interrupt, call by call. */
import type { ConfigurationDocument } from "../../lambda/configuration/configuration.ts";

export type FirstVersion = { alias: string; input: object; aliases?: string[]; grants?: object[] };

export type History = {
  name: string;
  document: ConfigurationDocument;
  firstVersions: FirstVersion[];
  /**
   * Days from any time at which something is due: a delay of hours does not change the end state.
   */
  horizonMs: number;
  /** How long the tagging API does not find a new key. */
  tagsFoundAfterMs: number;
};
