import { describe, expect, test } from "vitest";
import { fromTypedData, toJsonText, toTypedData, type TypedData } from "../../lab/host/typed-data.ts";

describe("our values for the app", () => {
  test.each<[unknown, TypedData | null]>([
    ["5", { string: "5" }],
    [5, { int: 5 }],
    [0.5, { double: 0.5 }],
    [Buffer.from("b"), { bytes: new Uint8Array([98]) }],
    [new Uint8Array([1]).buffer, { bytes: new Uint8Array([1]) }],
    [new Uint16Array([1, 258]).subarray(1), { bytes: new Uint8Array([2, 1]) }],
    [true, { json: "true" }],
    [{ a: 1 }, { json: '{"a":1}' }],
    [null, null],
    [undefined, null],
  ])("%j", (value, expected) => {
    expect(toTypedData(value)).toEqual(expected);
  });
});

describe("the app's values for us", () => {
  test.each<[TypedData | null, unknown]>([
    [{ string: "5" }, "5"],
    [{ json: "[5]" }, [5]],
    [{ bytes: new Uint8Array([98]) }, Buffer.from("b")],
    [{ stream: new Uint8Array([98]) }, Buffer.from("b")],
    [{ int: 0 }, 0],
    [{ double: 0.5 }, 0.5],
    [{ collectionBytes: { bytes: [new Uint8Array([98])] } }, [Buffer.from("b")]],
    [{ collectionString: { string: ["1"] } }, ["1"]],
    [{ collectionDouble: { double: [0.5] } }, [0.5]],
    [{ collectionSint64: { sint64: [1] } }, [1]],
    [{ http: { statusCode: "200" } }, { statusCode: "200" }],
    [null, undefined],
    [{}, undefined],
  ])("%j", (data, expected) => {
    expect(fromTypedData(data)).toEqual(expected);
  });
});

describe("an activity's result as JSON text", () => {
  test.each<[string, TypedData | undefined, string | null]>([
    ["a text that looks like JSON stays a text", { string: "5" }, '"5"'],
    ["json is taken as it is", { json: '{"a": 1}' }, '{"a": 1}'],
    ["a number", { int: 5 }, "5"],
    ["bytes in base64", { bytes: Buffer.from("b") }, '"Yg=="'],
    ["nothing is null", undefined, null],
  ])("%s", (_, data, expected) => {
    expect(toJsonText(data)).toBe(expected);
  });
});
