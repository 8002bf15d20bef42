/**
 * The rooms, from the top down: each imports only itself and rooms below it, type imports included.
 * ARCHITECTURE.md draws them; `npm run lint` runs this, and test/project/rooms.test.ts tests it.
 */
const rooms = [
  ["the tests and benchmarks", "^(test|bench)/"],
  [
    "the emulator, the conformance checks and the page generator",
    "^(emulator|conformance|docs/generate)/",
  ],
  ["the demo", "^demo/"],
  ["the command", "^cli/(keyturn|command-line|program|tick)[.](ts|js)$"],
  ["its commands", "^cli/commands/"],
  ["the commands' models", "^cli/(status|doctor|plan|requests|report)/"],
  ["the forecast", "^cli/forecast/"],
  ["the journal's verification", "^cli/journal/"],
  ["the session", "^cli/(session[.]ts)$"],
  ["the terminal", "^cli/terminal/"],
  ["the construct", "^infra/"],
  ["the simulator", "^sim/"],
  ["the embedded AWS", "^embedded-aws/"],
  ["the function", "^lambda/(handler|function|service)[.]ts$"],
  ["the second function", "^lambda/refusals/"],
  ["the AWS adapters", "^lambda/aws/"],
  ["the run", "^lambda/run/"],
  ["the chores", "^lambda/chores/"],
  ["the pass", "^lambda/pass/"],
  ["the inbound events", "^lambda/inbound/"],
  ["the configuration", "^lambda/configuration/"],
  ["the record", "^lambda/record/"],
  ["telemetry", "^lambda/telemetry/"],
  ["the ports", "^lambda/(ports|errors)[.]ts$"],
  ["the workflow", "^lambda/workflow/(workflow|apply-outcome|notices|active-version)[.]ts$"],
  ["the five steps", "^lambda/workflow/[1-5]-[a-z]+[.]ts$"],
  ["revoke", "^lambda/workflow/revoke/"],
  ["requests", "^lambda/workflow/requests/"],
  ["drift", "^lambda/workflow/drift/"],
  ["restore", "^lambda/workflow/restore/"],
  ["enrolment", "^lambda/workflow/enrolment/"],
  ["safety", "^lambda/workflow/safety/"],
  ["the model", "^lambda/workflow/model/"],
];

const upward = rooms.slice(1).map(([name, path], index) => ({
  name: `nothing above ${name}`,
  comment: "A room imports only rooms below it (ARCHITECTURE.md).",
  severity: "error",
  from: { path },
  to: { path: rooms.slice(0, index + 1).map(([, above]) => above) },
}));

/** List a new folder before you add files to it. */
const everywhere = rooms.map(([, path]) => path).join("|");

module.exports = {
  forbidden: [
    ...upward,
    {
      name: "no cycle",
      comment: "Move the shared part to a file below both.",
      severity: "error",
      from: {},
      to: { circular: true },
    },
    {
      name: "no room of no name",
      comment: "List the file or its folder in .dependency-cruiser.cjs and in ARCHITECTURE.md.",
      severity: "error",
      from: { path: "^(lambda|cli|sim|infra|embedded-aws|demo|docs)/", pathNot: everywhere },
      to: {},
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    doNotFollow: { path: "node_modules" },
    exclude: { path: "node_modules" },
    enhancedResolveOptions: { extensions: [".ts", ".js"] },
  },
};
