#!/usr/bin/env node
/** `lifeboat`: what the shell runs. The commands are in program.ts. */
import { readFileSync } from "node:fs";
import { runProgram } from "./program.ts";

// Whoever reads us may have seen enough: `lifeboat plan schema | head`.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(process.exitCode ?? 0);
  throw error;
});

process.exitCode = await runProgram(process.argv.slice(2), {
  out: (line) => void process.stdout.write(`${line}\n`),
  err: (line) => void process.stderr.write(`${line}\n`),
  read: (file) => readFileSync(file, "utf8"),
  // https://no-color.org: set to anything but nothing.
  colour: process.stdout.isTTY && !process.env["NO_COLOR"],
});
