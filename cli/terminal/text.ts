/** Measures and breaks texts for a terminal, and escapes its control characters. */
import { stripVTControlCharacters } from "node:util";

/** Control characters, line ends among them, and marks of text direction. */
const steering = /[\p{Cc}\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;

/** The author of a request must not control an operator's terminal. */
export function printable(text: string): string {
  return text.replace(steering, escaped);
}

/** As a JSON escape: a JSON document stays valid. */
export function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

const wide =
  /^(?:\p{Emoji_Presentation}|\p{Emoji}\ufe0f|[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}\u3000-\u303e\uff01-\uff60\uffe0-\uffe6])/u;
const narrow = /^[ -~█░…]*$/;
const segmenter = new Intl.Segmenter();

/** In columns; colours have no width. */
export function widthOf(text: string): number {
  if (narrow.test(text)) return text.length;
  const plain = stripVTControlCharacters(text);
  return charactersOf(plain).reduce((sum, character) => sum + columnsOf(character), 0);
}

function charactersOf(text: string): string[] {
  return Array.from(segmenter.segment(text), ({ segment }) => segment);
}

function columnsOf(character: string): number {
  if (wide.test(character)) return 2;
  return /^\p{M}|^\p{Cf}/u.test(character) ? 0 : 1;
}

/** Cuts a text to a width; a cut text loses its colour. */
export function cutTo(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  if (narrow.test(text)) return `${text.slice(0, Math.max(0, width - 1))}…`;
  let left = Math.max(0, width - 1);
  let kept = "";
  for (const character of charactersOf(stripVTControlCharacters(text))) {
    left -= columnsOf(character);
    if (left < 0) break;
    kept += character;
  }
  return `${kept}…`;
}

/**
 * Broken between words. A word that is longer than the width stays whole, and can be copied. Only
 * scripts without spaces between words are broken inside of a word.
 */
export function wrapped(text: string, width: number): string[] {
  return linesOf(text, width, (word) => (narrow.test(word) ? [word] : piecesOf(word, width)));
}

/** Broken between words; a word that is longer than the width, at `_`, `-` or `/`, or anywhere. */
export function broken(text: string, width: number): string[] {
  return linesOf(text, width, (word) => piecesOf(word, width));
}

function linesOf(text: string, width: number, split: (word: string) => string[]): string[] {
  if (widthOf(text) <= width) return [text];
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ").flatMap((one) => (widthOf(one) > width ? split(one) : one))) {
    if (line !== "" && widthOf(line) + 1 + widthOf(word) > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

function piecesOf(word: string, width: number): string[] {
  const pieces: string[] = [];
  let piece = "";
  for (const part of word.split(/(?<=[_/-])/).flatMap((one) => fitting(one, width))) {
    if (piece !== "" && widthOf(piece + part) > width) {
      pieces.push(piece);
      piece = "";
    }
    piece += part;
  }
  return [...pieces, piece];
}

function fitting(part: string, width: number): string[] {
  return widthOf(part) <= width ? [part] : charactersOf(part);
}
