/** The names most similar to the typed one, the nearest first. */
export function nearest(meant: string, names: readonly string[], atMost = 3): string[] {
  const limit = Math.max(2, Math.floor(meant.length / 3));
  return names
    .map((name) => ({ name, distance: isPart(meant, name) ? 1 : distanceOf(meant, name) }))
    .filter(({ distance }) => distance <= limit)
    .sort((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1))
    .slice(0, atMost)
    .map(({ name }) => name);
}

function isPart(meant: string, name: string): boolean {
  return meant.length > 2 && name.toLowerCase().includes(meant.toLowerCase());
}

/** The Levenshtein distance: the number of insertions, deletions and changes. */
function distanceOf(one: string, other: string): number {
  let above = Array.from({ length: other.length + 1 }, (_, column) => column);
  for (let row = 1; row <= one.length; row++) {
    const here = [row];
    for (let column = 1; column <= other.length; column++) {
      const change = one[row - 1] === other[column - 1] ? 0 : 1;
      const beside = Math.min(here[column - 1] ?? 0, above[column] ?? 0) + 1;
      here.push(Math.min(beside, (above[column - 1] ?? 0) + change));
    }
    above = here;
  }
  return above[other.length] ?? 0;
}
