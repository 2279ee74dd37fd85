"use strict";
// A few trials side by side. What is chosen keeps the order of its choosing, and each place has its colour.
{
  const data = spectralData.compare;
  const byId = (name) => document.getElementById(`compare-${name}`);
  const DASHES = ["solid", "dash", "dot", "dashdot", "longdash", "longdashdot"];
  const PLOT_PX = 380;
  const byNumber = new Map(data.trials.map((trial) => [trial.number, trial]));
  let chosen = data.chosen;
  let drawn = false;

  function element(name, text = "", attributes = {}) {
    const made = document.createElement(name);
    made.textContent = text;
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    return made;
  }

  // Plotly reads some HTML tags in its labels.
  const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  const shownNumber = (value) =>
    value === undefined || value === null ? "" : Number.isInteger(value) ? value.toLocaleString("en") : String(value);
  const written = (trial) =>
    Object.entries(trial.configuration)
      .filter(([axis]) => data.listed === null || data.listed.includes(axis))
      .map(([axis, value]) => `${axis}=${value}`)
      .join(" ");

  // ---- choosing ----------------------------------------------------------------------------------------------------
  function choice(trial) {
    const label = element("label");
    const box = element("input", "", { type: "checkbox", value: trial.number });
    const score = trial.score === null ? trial.state : shownNumber(trial.score);
    label.append(
      box,
      element("span", trial.title),
      element("span", score, { class: "score" }),
      element("span", written(trial), { class: "note" }),
    );
    label.dataset.text = `${trial.number} ${trial.title} ${trial.state} ${written(trial)}`.toLowerCase();
    box.addEventListener("change", () => choose(trial.number, box.checked));
    return label;
  }

  function choose(number, isChosen) {
    chosen = chosen.filter((other) => other !== number);
    if (isChosen) chosen.push(number);
    show();
  }

  function search() {
    const words = byId("search").value.toLowerCase().split(/\s+/).filter(Boolean);
    const labels = [...byId("list").children];
    for (const label of labels) label.hidden = !words.every((word) => label.dataset.text.includes(word));
    byId("found").textContent = `${labels.filter((label) => !label.hidden).length} found, ${chosen.length} chosen`;
  }

  // ---- tables ------------------------------------------------------------------------------------------------------
  function names(trials, part) {
    return [...new Set(trials.flatMap((trial) => Object.keys(trial[part])))];
  }

  function heading(trials, title) {
    const row = element("tr");
    row.append(element("th", title, { scope: "col" }));
    trials.forEach((trial, place) => {
      const cell = element("th", "", { scope: "col" });
      cell.append(
        element("span", "", { class: "swatch", style: `background: ${data.colours[place]}` }),
        ` ${trial.title}`,
      );
      row.append(cell);
    });
    return row;
  }

  function tableRow(name, cells, kind = "") {
    const row = element("tr", "", kind ? { class: kind } : {});
    row.append(element("th", name, { scope: "row" }), ...cells);
    return row;
  }

  function table(trials, title, rows) {
    const made = element("table", "", { style: `min-width: calc(var(--first) + ${trials.length} * var(--each))` });
    const head = element("thead");
    const body = element("tbody");
    head.append(heading(trials, title));
    body.append(...rows);
    made.append(head, body);
    return made;
  }

  function configurationTables(trials) {
    const rows = names(trials, "configuration").map((axis) => [
      axis,
      trials.map((trial) => trial.configuration[axis] ?? "not used"),
    ]);
    const differs = ([, values]) => values.some((value) => value !== values[0]);
    const lines = (kept, kind) =>
      kept.map(([axis, values]) =>
        tableRow(
          axis,
          values.map((value) => element("td", value)),
          kind,
        ),
      );
    const differing = rows.filter(differs);
    const equal = rows.filter((row) => !differs(row));
    const made = [
      differing.length
        ? table(trials, "differs", lines(differing, "differs"))
        : element("p", trials.length > 1 ? "Nothing differs between them." : ""),
    ];
    if (equal.length) {
      const fold = element("details");
      fold.append(element("summary", `${equal.length} equal`), table(trials, "equal", lines(equal)));
      made.push(fold);
    }
    return made;
  }

  function metricCells(name, trials) {
    const values = trials.map((trial) => trial.metrics[name]);
    // The score of a pruned trial is that of an early epoch.
    const known = values.filter((value, i) => typeof value === "number" && trials[i].state === "complete");
    const [low, high] = [Math.min(...known), Math.max(...known)];
    const best = low < high ? ({ large: high, small: low }[data.better[name]] ?? null) : null;
    return values.map((value, i) => {
      const cell = element("td", shownNumber(value), { class: "number" });
      if (best !== null && value === best && trials[i].state === "complete")
        cell.replaceChildren(element("strong", shownNumber(value)), element("span", ", the best", { class: "hidden" }));
      return cell;
    });
  }

  function metricTable(trials) {
    const state = tableRow(
      "state",
      trials.map((trial) => element("td", trial.reason ? `${trial.state}: ${trial.reason}` : trial.state)),
    );
    return table(trials, "scores on validation", [
      state,
      ...names(trials, "metrics").map((name) => tableRow(name, metricCells(name, trials))),
    ]);
  }

  // ---- curves ------------------------------------------------------------------------------------------------------
  function drawCurves(trials) {
    const traces = trials.map((trial, place) => ({
      x: trial.steps,
      y: trial.curve,
      name: escaped(trial.title),
      mode: trial.steps.length > 1 ? "lines" : "markers",
      line: { color: data.colours[place], dash: DASHES[place], width: 2 },
      marker: { color: data.colours[place] },
      text: escaped(trial.title),
      hovertemplate: `%{text}, ${data.step} %{x}: %{y}<extra></extra>`,
    }));
    const isShort = Math.max(...trials.flatMap((trial) => trial.steps)) <= 10;
    const axis = { gridcolor: "#e5e5e5", linecolor: "#767676", zeroline: false, automargin: true };
    const title = escaped(data.objectives[0]);
    byId("plot").setAttribute(
      "aria-label",
      `${data.objectives[0]} by ${data.step} of ${trials.map((trial) => trial.title).join(", ")}.`,
    );
    const layout = {
      font: { family: "system-ui, sans-serif", size: 13, color: "#1b1b1b" },
      margin: { l: 64, r: 16, t: 44, b: 48 },
      showlegend: true,
      legend: { orientation: "h" },
      xaxis: { ...axis, title: { text: data.step }, ...(isShort ? { dtick: 1 } : {}) },
      yaxis: { ...axis, title: { text: title } },
    };
    byId("plot").style.height = `${PLOT_PX}px`;
    Plotly.react(byId("plot"), traces, belowToolbar(layout, traces, byId("plot")), spectralPlotOptions);
  }

  function show() {
    const trials = chosen.map((number) => byNumber.get(number));
    const isFull = chosen.length >= data.maxChosen;
    for (const box of byId("list").querySelectorAll("input")) {
      box.checked = chosen.includes(Number(box.value));
      box.disabled = isFull && !box.checked;
    }
    search();
    byId("tables").replaceChildren(
      ...(trials.length
        ? [...configurationTables(trials), metricTable(trials)]
        : [element("p", "Nothing is chosen.")]),
    );
    const without = trials.filter((trial) => !trial.steps.length);
    byId("note").textContent = without.length
      ? `No ${data.step}s were reported by ${without.map((trial) => trial.title).join(", ")}.`
      : "";
    const hasCurves = without.length < trials.length;
    byId("plot").hidden = !hasCurves;
    if (drawn && hasCurves) drawCurves(trials);
  }

  byId("list").append(...data.trials.map(choice));
  byId("search").addEventListener("input", search);
  byId("clear").addEventListener("click", () => {
    chosen = [];
    show();
  });
  show();
  whenNear(byId("plot"), () => {
    drawn = true;
    show();
  });
}
