/** How much room text takes on a terminal, and how it is cut to a width. */
import { stripVTControlCharacters } from "node:util";

/** Letters of two columns: East Asian ones, and pictures. */
const wide = /[\u1100-\u115F\u2E80-\u303E\u3041-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6]|\p{Emoji_Presentation}/u;
const none = /\p{Mark}|\u200B|\u200D|\uFE0F/u;
const colour = /(\p{Control}\[\d+m)/u;

/** Columns of one line, colours not counted. */
export function columnsOf(line: string): number {
  let columns = 0;
  for (const letter of stripVTControlCharacters(line)) columns += columnsOfLetter(letter);
  return columns;
}

const columnsOfLetter = (letter: string): number => (none.test(letter) ? 0 : wide.test(letter) ? 2 : 1);

/** At most so many columns of a line; what was cut away leaves an ellipsis, and no colour behind. */
export function cut(line: string, columns: number): string {
  if (columnsOf(line) <= columns) return line;
  let left = Math.max(0, columns - 1);
  let painted = false;
  let text = "";
  for (const piece of line.split(colour)) {
    if (colour.test(piece)) {
      text += piece;
      painted = piece !== "\u001B[0m";
      continue;
    }
    for (const letter of piece) {
      left -= columnsOfLetter(letter);
      if (left < 0) return `${text}${columns > 0 ? "…" : ""}${painted ? "\u001B[0m" : ""}`;
      text += letter;
    }
  }
  return text;
}

/** Fills a line up with spaces. */
export const padded = (text: string, columns: number): string => text + " ".repeat(Math.max(0, columns - columnsOf(text)));

/** Lines of at most so many columns, broken between words; those after the first begin with `indent`. A word that is longer is cut. */
export function wrapped(text: string, columns: number, indent = ""): readonly string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    const longer = line === "" ? `${lines.length === 0 ? "" : indent}${word}` : `${line} ${word}`;
    if (line !== "" && columnsOf(longer) > columns) {
      lines.push(line);
      line = `${indent}${word}`;
    } else line = longer;
  }
  return [...lines, line].map((each) => cut(each, columns));
}

/** A line that keeps our colours and loses whatever else would steer a terminal. */
export const tameButPainted = (line: string): string =>
  line
    .split(colour)
    .map((piece, at) => (at % 2 === 1 ? piece : piece.replaceAll(/\p{Control}/gu, "")))
    .join("");

/** Text from outside on one line that steers no terminal. */
export const tame = (text: string): string => stripVTControlCharacters(text).replaceAll(/\s+/g, " ").replaceAll(/\p{Control}/gu, "").trim();
