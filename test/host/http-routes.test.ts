import { describe, expect, test } from "vitest";
import { match, route } from "../../lab/host/http-routes.ts";

/** Each route's target is its own template. */
const routes = (...templates: string[]) => templates.map((template) => route(`api/${template}`, ["GET"], template));
const find = (templates: string[], path: string) => match(routes(...templates), "GET", path);

describe("route templates", () => {
  test.each<[string, string, string, Record<string, string> | null]>([
    ["a literal", "runs", "/api/runs", {}],
    ["a literal in another case", "Runs", "/API/runs", {}],
    ["a trailing slash", "runs", "/api/runs/", {}],
    ["another literal", "runs", "/api/run", null],
    ["a path that goes on", "runs", "/api/runs/1", null],
    ["a parameter", "runs/{id}", "/api/runs/7", { id: "7" }],
    ["a parameter, decoded", "runs/{id}", "/api/runs/a%20b%2Fc", { id: "a b/c" }],
    ["a parameter that cannot be decoded, as it is", "runs/{id}", "/api/runs/%zz", { id: "%zz" }],
    ["a missing parameter", "runs/{id}", "/api/runs", null],
    ["an optional parameter", "runs/{id?}", "/api/runs/7", { id: "7" }],
    ["a missing optional parameter", "runs/{id?}", "/api/runs", {}],
    ["an integer", "runs/{id:int}", "/api/runs/-7", { id: "-7" }],
    ["no integer", "runs/{id:int}", "/api/runs/x7", null],
    ["an optional integer", "runs/{id:int?}", "/api/runs", {}],
    ["a guid", "runs/{id:guid}", "/api/runs/0f8fad5b-d9cb-469f-a165-70867728950e", { id: "0f8fad5b-d9cb-469f-a165-70867728950e" }],
    ["no guid", "runs/{id:guid}", "/api/runs/0f8fad5b", null],
    ["letters", "runs/{id:alpha}", "/api/runs/abC", { id: "abC" }],
    ["no letters", "runs/{id:alpha}", "/api/runs/ab1", null],
    ["the rest", "files/{*path}", "/api/files/a/b%20c", { path: "a/b c" }],
    ["an empty rest", "files/{*path}", "/api/files", {}],
    ["two parameters", "{plan}/runs/{id}", "/api/shop/runs/1", { plan: "shop", id: "1" }],
    ["no prefix", "runs", "/runs", null],
  ])("%s", (_, template, path, params) => {
    expect(find([template], path)?.params ?? null).toEqual(params);
  });

  test.each<[string, string[], string, string]>([
    ["a literal before a parameter", ["runs/{id}", "runs/latest"], "/api/runs/latest", "runs/latest"],
    ["a constrained parameter before a free one", ["runs/{id}", "runs/{n:int}"], "/api/runs/7", "runs/{n:int}"],
    ["a parameter before the rest", ["{*all}", "runs/{id}"], "/api/runs/7", "runs/{id}"],
    ["the first difference decides", ["{a}/latest", "runs/{id}"], "/api/runs/latest", "runs/{id}"],
    ["no parameter before an optional one", ["runs/{id?}", "runs"], "/api/runs", "runs"],
  ])("%s", (_, templates, path, expected) => {
    expect(find(templates, path)?.target).toBe(expected);
  });

  test("a route of another method does not match, so that two functions share a path", () => {
    const both = [route("api/runs", ["get"], "list"), route("api/runs", ["post"], "start")];
    expect(match(both, "POST", "/api/runs")?.target).toBe("start");
    expect(match(both, "DELETE", "/api/runs")).toBeNull();
  });

  test.each(["{id:regex(^a$)}", "{name}.json", "{a}-{b}", "{id=5}"])("what the host cannot do is refused: %s", (template) => {
    expect(() => route(template, ["GET"], null)).toThrow(/beyond the embedded host/);
  });
});
