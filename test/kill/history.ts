/** A life that is interrupted, call by call. */
import type { ConfigurationDocument } from "../../lambda/configuration/configuration.ts";

export type FirstVersion = { alias: string; input: object; aliases?: string[]; grants?: object[] };

export type History = {
  name: string;
  document: ConfigurationDocument;
  firstVersions: FirstVersion[];
  /** Days from any moment at which something falls due, so that a delay of hours shows nowhere. */
  horizonMs: number;
  /** How long the tagging API does not find a key that was just made. */
  tagsFoundAfterMs: number;
};
