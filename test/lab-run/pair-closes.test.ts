/** A region pair that does not come up takes down what it had started, all of it. */
import { expect, test } from "vitest";
import { openPair } from "../../lab/pair-in-a-box.ts";

test("a step that cannot be undone keeps no other from it, and the reason that is told is the first one", async () => {
  const undone: string[] = [];
  let storage = "";
  const opened = openPair({
    topology: "shared",
    seeding: { recorded: false },
    async openEngines({ undo, frontUrl }) {
      storage = frontUrl;
      undo(() => undone.push("the primary"));
      undo(() => Promise.reject(new Error("the secondary does not end")));
      throw new Error("no node is ready");
    },
  });
  await expect(opened).rejects.toThrow("no node is ready");
  expect(undone).toEqual(["the primary"]);
  await expect(fetch(storage)).rejects.toThrow("fetch failed");
});
