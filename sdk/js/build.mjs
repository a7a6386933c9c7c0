// Builds dist/ from src/: ES modules, CommonJS beside them, and the types of both.
// node build.mjs [--out FOLDER] [--modules FOLDER]   where `typescript` and `@types` of package.json are installed
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const here = dirname(fileURLToPath(import.meta.url));
const { values } = parseArgs({ options: { out: { type: "string" }, modules: { type: "string" } } });
const out = values.out ?? join(here, "dist");
const modules = values.modules ?? join(here, "node_modules");
const ts = createRequire(import.meta.url)(join(modules, "typescript"));

const written = ts.readConfigFile(join(here, "tsconfig.json"), ts.sys.readFile).config;
const more = { outDir: join(out, "esm"), typeRoots: [join(modules, "@types")] };
const config = ts.parseJsonConfigFileContent(written, ts.sys, here, more);
const program = ts.createProgram(config.fileNames, config.options);
rmSync(out, { recursive: true, force: true });
const problems = [...config.errors, ...ts.getPreEmitDiagnostics(program), ...program.emit().diagnostics];
if (problems.length > 0) {
  const host = { getCanonicalFileName: (name) => name, getCurrentDirectory: () => here, getNewLine: () => "\n" };
  console.error(ts.formatDiagnostics(problems, host));
  process.exit(1);
}

mkdirSync(join(out, "cjs"), { recursive: true });
writeFileSync(join(out, "cjs", "package.json"), '{ "type": "commonjs" }\n');
const compilerOptions = { ...config.options, module: ts.ModuleKind.CommonJS, moduleResolution: undefined };
for (const name of readdirSync(join(here, "src"))) {
  const [source, stem] = [readFileSync(join(here, "src", name), "utf8"), name.replace(/\.ts$/, "")];
  const { outputText } = ts.transpileModule(source, { compilerOptions, fileName: name });
  writeFileSync(join(out, "cjs", `${stem}.js`), outputText);
  writeFileSync(join(out, "cjs", `${stem}.d.ts`), readFileSync(join(out, "esm", `${stem}.d.ts`)));
}
