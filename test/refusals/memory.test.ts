import { describe, expect, test } from "vitest";
import { Memory } from "../../lambda/refusals/memory.ts";
import { minuteMs } from "../fixtures.ts";

function aMemory() {
  let nowMs = 0;
  const reads: string[] = [];
  const memory = new Memory<number | undefined>(() => nowMs);
  const get = (name: string) =>
    memory.get(name, () => {
      reads.push(name);
      return Promise.resolve(nowMs);
    });
  return { memory, reads, get, at: (ms: number) => void (nowMs = ms) };
}

describe("what a process has read", () => {
  test("is read again after a minute, and not before", async () => {
    const { get, at, reads } = aMemory();
    at(1);
    expect(await get("a")).toBe(1);
    at(minuteMs);
    expect(await get("a")).toBe(1);
    at(minuteMs + 1);
    expect(await get("a")).toBe(minuteMs + 1);
    expect(reads).toEqual(["a", "a"]);
  });

  test("may be that there is nothing", async () => {
    const { memory, get, reads } = aMemory();
    expect(await memory.get("a", () => Promise.resolve(undefined))).toBeUndefined();
    expect(await get("a")).toBeUndefined();
    expect(reads).toEqual([]);
  });

  test("is read again once it is forgotten; what was set counts as read", async () => {
    const { memory, get, reads, at } = aMemory();
    memory.set("a", 7);
    expect(await get("a")).toBe(7);
    memory.forget("a");
    at(5);
    expect(await get("a")).toBe(5);
    expect(reads).toEqual(["a"]);
  });

  test("is not kept where the read fails", async () => {
    const { memory, get, reads } = aMemory();
    await expect(memory.get("a", () => Promise.reject(new Error("no")))).rejects.toThrow("no");
    await get("a");
    expect(reads).toEqual(["a"]);
  });

  test("is bounded: of ten thousand names the one read first goes", async () => {
    const { get, reads } = aMemory();
    for (let name = 0; name <= 10_000; name++) await get(`name-${name}`);
    reads.splice(0);
    for (const name of ["name-1", "name-10000", "name-0"]) await get(name);
    expect(reads).toEqual(["name-0"]);
  });
});
