/** Texts as a terminal can show them: as wide as they are, and without what would steer it. */
import { stripVTControlCharacters } from "node:util";

/** Control characters, line ends among them, and what turns the direction of the text around it. */
const steering = /[\p{Cc}\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;

/** Whoever may write a request must not thereby write to an operator's terminal. */
export function printable(text: string): string {
  return text.replace(steering, escaped);
}

/** As JSON has it, so that a document of it stays one. */
export function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

const wide =
  /^(?:\p{Emoji_Presentation}|\p{Emoji}\ufe0f|[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}\u3000-\u303e\uff01-\uff60\uffe0-\uffe6])/u;
const narrow = /^[ -~█░…]*$/;
const segmenter = new Intl.Segmenter();

/** In columns; colours have none. */
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

/** No wider than that; what is cut loses its colour. */
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
 * Broken between words. A word that is longer than the width stays whole, so that it can be copied: but
 * for scripts that put no space between words.
 */
export function wrapped(text: string, width: number): string[] {
  if (widthOf(text) <= width) return [text];
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ").flatMap((one) => piecesOf(one, width))) {
    if (line !== "" && widthOf(line) + 1 + widthOf(word) > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

function piecesOf(word: string, width: number): string[] {
  if (widthOf(word) <= width || narrow.test(word)) return [word];
  const pieces: string[] = [];
  let piece = "";
  for (const character of charactersOf(word)) {
    if (piece !== "" && widthOf(piece + character) > width) {
      pieces.push(piece);
      piece = "";
    }
    piece += character;
  }
  return [...pieces, piece];
}
