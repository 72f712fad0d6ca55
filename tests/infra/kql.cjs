// Microsoft's own KQL parser and binder (npm @kusto/language-service-next) over Application Insights' tables.
// stdin: {"tables": {name: "(column: type, ...)"}, "queries": [text, ...]}; stdout: the diagnostics of each query.
"use strict";
const path = require("path");
const folder = path.join(process.argv[2], "@kusto", "language-service-next");
require(path.join(folder, "bridge.min.js"));
require(path.join(folder, "Kusto.Language.Bridge.min.js"));

/* global Kusto */
const { Symbols, GlobalState, KustoCode } = Kusto.Language;
const input = JSON.parse(require("fs").readFileSync(0, "utf8"));
const tables = Object.entries(input.tables).map(([name, columns]) => Symbols.TableSymbol.From(columns).WithName(name));
const globals = GlobalState.Default.WithDatabase(new Symbols.DatabaseSymbol.ctor("insights", tables));

const answers = input.queries.map((query) => {
  const found = KustoCode.ParseAndAnalyze(query, globals).GetDiagnostics();
  const told = [];
  for (let i = 0; i < found.Count; i++) {
    const item = found.getItem(i);
    told.push(`${item.Severity} ${item.Code}: ${item.Message} (at ${item.Start})`);
  }
  return told;
});
process.stdout.write(JSON.stringify(answers));
