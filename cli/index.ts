#!/usr/bin/env node
/** `lifeboat`: what the shell runs. The commands are in program.ts. */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { runProgram } from "./program.ts";

// Whoever reads us may have seen enough: `lifeboat plan schema | head`.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(process.exitCode ?? 0);
  throw error;
});

process.exitCode = await runProgram(process.argv.slice(2), {
  out: (line) => void process.stdout.write(`${line}\n`),
  err: (line) => void process.stderr.write(`${line}\n`),
  list: (directory) =>
    readdirSync(directory, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => path.relative(directory, path.join(entry.parentPath, entry.name)).split(path.sep).join("/"))
      .toSorted(),
  // A wrong letter that nobody sees would make another plan of it: what is not UTF-8 is not read.
  read: (file) => new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(file === "-" ? process.stdin.fd : file)),
  // https://no-color.org: set to anything but nothing.
  colour: process.stdout.isTTY && !process.env["NO_COLOR"],
});
