/** The part of a POSIX shell that a finding's command may use: words, quotes and `&&`. Other syntax fails. */

/** The commands of a line, each as its words, in order. Throws for anything that a shell would expand. */
export function commandsOf(line: string): string[][] {
  const commands: string[][] = [[]];
  let word: string | undefined;
  for (let at = 0; at < line.length; at++) {
    const character = line[at] ?? "";
    if (character === "'" || character === '"') {
      const end = line.indexOf(character, at + 1);
      if (end < 0) throw new Error(`unclosed ${character} in: ${line}`);
      const inside = line.slice(at + 1, end);
      if (character === '"' && /[$`\\]/.test(inside)) throw new Error(`expands: ${inside}`);
      word = (word ?? "") + inside;
      at = end;
    } else if (character === "\\" && line[at + 1] === "'") {
      word = `${word ?? ""}'`;
      at += 1;
    } else if (character === " " || line.startsWith("&&", at)) {
      if (word !== undefined) commands.at(-1)?.push(word);
      word = undefined;
      if (character === "&") {
        commands.push([]);
        at += 1;
      }
    } else if (/[\w/.:=@,+-]/.test(character)) {
      word = (word ?? "") + character;
    } else
      throw new Error(`a shell reads ${JSON.stringify(character)} as a special character: ${line}`);
  }
  if (word !== undefined) commands.at(-1)?.push(word);
  if (commands.some((words) => words.length === 0)) throw new Error(`an empty command in: ${line}`);
  return commands;
}
