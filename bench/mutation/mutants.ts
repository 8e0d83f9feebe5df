/** Finds what could be otherwise in a file of ours: one small change at a time, each with its place. TypeScript's own parser says where. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { type Expression, type Node, SyntaxKind } from "typescript/unstable/ast";
import { API } from "typescript/unstable/sync";

export interface Mutant {
  readonly id: number;
  readonly file: string;
  readonly line: number;
  readonly was: string;
  readonly is: string;
}

/** A file in which every mutant is there and asleep: the one whose number is in `globalThis.mutant` is awake. */
export interface Instrumented {
  readonly file: string;
  readonly text: string;
  readonly mutants: readonly Mutant[];
}

const swaps: Readonly<Record<string, readonly string[]>> = {
  "===": ["!=="],
  "!==": ["==="],
  "<": ["<=", ">="],
  "<=": ["<", ">"],
  ">": [">=", "<="],
  ">=": [">", "<"],
  "&&": ["||"],
  "||": ["&&"],
  "+": ["-"],
  "-": ["+"],
  "*": ["/"],
  "/": ["*"],
};
const otherMethods: Readonly<Record<string, string>> = { some: "every", every: "some", max: "min", min: "max", startsWith: "endsWith", endsWith: "startsWith" };

/** Instruments files of the project, by their paths from its root. Numbers go on from file to file. */
export function instrumented(root: string, files: readonly string[]): readonly Instrumented[] {
  const api = new API({ cwd: root });
  try {
    const project = api.updateSnapshot({ openProject: path.join(root, "tsconfig.json") }).getProjects()[0];
    let next = 1;
    return files.map((file) => {
      const text = readFileSync(path.join(root, file), "utf8");
      const source = project?.program.getSourceFile(path.join(root, file));
      if (source === undefined) throw new Error(`${file} is no file of the project`);
      const mutants: Mutant[] = [];
      const lineOf = (at: number): number => text.slice(0, at).split("\n").length;

      const start = (node: Node): number => node.getStart(source);
      const plain = (node: Node): string => text.slice(start(node), node.end);
      /** The text of a node, with all mutants that are in it. */
      const written = (node: Node): string => {
        const parts: { readonly from: number; readonly to: number; readonly put: string }[] = [];
        node.forEachChild((child) => {
          const put = written(child);
          if (put !== plain(child)) parts.push({ from: start(child), to: child.end, put });
          return undefined;
        });
        let own = "";
        let at = start(node);
        for (const { from, to, put } of parts.toSorted((a, b) => a.from - b.from)) {
          own += text.slice(at, from) + put;
          at = to;
        }
        own += text.slice(at, node.end);
        const replacements = replacementsOf(node, plain);
        if (replacements.length === 0) return own;
        const chain = replacements.map((is) => {
          const id = next++;
          mutants.push({ id, file, line: lineOf(start(node)), was: plain(node), is });
          return `globalThis.mutant === ${id} ? (${is}) : `;
        });
        return `(${chain.join("")}(${own}))`;
      };
      return { file, text: written(source), mutants };
    });
  } finally {
    api.close();
  }
}

/** What else an expression could say. Types, imports and names of properties are no expressions. */
function replacementsOf(node: Node, plain: (node: Node) => string): readonly string[] {
  switch (node.kind) {
    case SyntaxKind.BinaryExpression: {
      const { left, operatorToken, right } = node as Node & { readonly left: Expression; readonly operatorToken: Node; readonly right: Expression };
      const operator = plain(operatorToken);
      if (operator === "??") return [plain(left), plain(right)].map((side) => `(${side})`);
      return (swaps[operator] ?? []).map((other) => `(${plain(left)}) ${other} (${plain(right)})`);
    }
    case SyntaxKind.PrefixUnaryExpression:
      return plain(node).startsWith("!") ? [plain(node).slice(1)] : [];
    case SyntaxKind.TrueKeyword:
      return isExpression(node) ? ["false"] : [];
    case SyntaxKind.FalseKeyword:
      return isExpression(node) ? ["true"] : [];
    case SyntaxKind.NumericLiteral:
      return isExpression(node) ? [`${plain(node)} + 1`] : [];
    case SyntaxKind.StringLiteral:
      return isExpression(node) && plain(node).length > 2 ? ['""'] : [];
    case SyntaxKind.CallExpression:
      return otherCalls(node, plain);
    default:
      return isCondition(node) ? ["true", "false"] : [];
  }
}

function otherCalls(node: Node, plain: (node: Node) => string): readonly string[] {
  const { expression } = node as Node & { readonly expression: Node };
  const whole = plain(node);
  const called = plain(expression);
  const method = /\.(\w+)$/.exec(called)?.[1] ?? "";
  const other = otherMethods[method];
  const rest = whole.slice(called.length);
  if (method === "filter") return [called.slice(0, -".filter".length), ...(isCondition(node) ? ["true", "false"] : [])];
  return [...(other === undefined ? [] : [`${called.slice(0, -method.length)}${other}${rest}`]), ...(isCondition(node) ? ["true", "false"] : [])];
}

/** The condition of an `if` or of a `? :`, where it is no comparison of its own. */
function isCondition(node: Node): boolean {
  const { parent } = node;
  if (parent?.kind === SyntaxKind.IfStatement) return (parent as Node & { readonly expression: Node }).expression === node;
  return parent?.kind === SyntaxKind.ConditionalExpression && (parent as Node & { readonly condition: Node }).condition === node;
}

const notExpressions: ReadonlySet<SyntaxKind> = new Set([SyntaxKind.LiteralType, SyntaxKind.ImportDeclaration, SyntaxKind.ExportDeclaration, SyntaxKind.ExternalModuleReference, SyntaxKind.EnumMember]);

function isExpression(node: Node): boolean {
  const { parent } = node;
  if (parent === undefined || notExpressions.has(parent.kind)) return false;
  // The name of a property.
  return !(parent.kind === SyntaxKind.PropertyAssignment && (parent as Node & { readonly name: Node }).name === node);
}
