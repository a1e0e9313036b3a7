// Plots as SVG, tables and lists. Text written by players is inserted only as text, never as markup.

export function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  Object.assign(made, properties);
  made.append(...children);
  return made;
}

function svg(name, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, value);
  made.append(...children);
  return made;
}

function picture(width, height, title, ...children) {
  const box = { viewBox: `0 0 ${width} ${height}`, height, role: "img", "aria-label": title };
  return svg("svg", box, svg("title", {}, title), ...children);
}

/** Round up to 1, 2, 4, 6, 8, 10, 20, 30, … for an axis: half of it is a round number, too. */
function roundUp(value) {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 1)));
  const steps = power > 1 ? [1, 2, 3, 4, 6, 8, 10] : [1, 2, 4, 6, 8, 10];
  return steps.find((step) => step * power >= value) * power;
}

/**
 * A stacked column chart.
 * columns: [{label, title, parts: [{value, colour}]}]; label is "" for a column without one.
 */
export function stackedColumns(width, title, columns) {
  const [left, top, bottom, height] = [38, 8, 20, 240];
  const sums = columns.map((column) => column.parts.reduce((sum, part) => sum + part.value, 0));
  const most = roundUp(Math.max(...sums, 1));
  const y = (value) => top + (height - top - bottom) * (1 - value / most);
  const step = (width - left) / columns.length;
  const drawn = [];
  for (const share of most < 2 ? [0, 1] : [0, 0.5, 1]) {
    const at = y(share * most);
    drawn.push(svg("line", { class: "grid", x1: left, x2: width, y1: at, y2: at }));
    drawn.push(svg("text", { x: left - 6, y: at + 4, "text-anchor": "end" }, (share * most).toLocaleString("en")));
  }
  let labelEnd = 0;
  columns.forEach((column, index) => {
    const x = left + index * step;
    const group = svg("g", { class: "column" }, svg("title", {}, column.title));
    let below = 0;
    for (const { value, colour } of column.parts) {
      if (!value) continue;
      const [from, to] = [y(below), y((below += value))];
      group.append(svg("rect", { class: `bar ${colour}`, x, width: step * 0.92, y: to, height: from - to }));
    }
    drawn.push(group);
    if (column.label && x >= labelEnd) {
      const anchor = x > width - 36 ? "end" : "start";
      drawn.push(svg("text", { x: anchor === "end" ? width : x, y: height - 4, "text-anchor": anchor }, column.label));
      labelEnd = x + 48;
    }
  });
  return picture(width, height, title, ...drawn);
}

/** counts: how often each of 0, 1, 2, … occurs. */
export function histogram(title, counts) {
  const [width, height, bottom] = [165, 74, 14];
  const most = Math.max(...counts, 1);
  const step = width / counts.length;
  const drawn = counts.map((count, value) => {
    const size = ((height - bottom) * count) / most;
    const place = { class: "bar c0", x: value * step, width: step * 0.9, y: height - bottom - size, height: size };
    return svg("rect", place, svg("title", {}, `${value}: ${count.toLocaleString("en")}`));
  });
  drawn.push(svg("line", { class: "grid", x1: 0, x2: width, y1: height - bottom, y2: height - bottom }));
  for (const value of [0, 5, 10]) {
    drawn.push(svg("text", { x: (value + 0.45) * step, y: height - 2, "text-anchor": "middle" }, String(value)));
  }
  return picture(width, height, title, ...drawn);
}

/** rows: [{name, value, note}], in descending order. */
export function rankedBars(rows, colour) {
  const most = Math.max(...rows.map((row) => row.value), 1);
  return element(
    "ol",
    { className: "ranks" },
    ...rows.map(({ name, value, note }, index) => {
      const bar = svg("rect", { class: colour, width: Math.max(0, (100 * value) / most), height: 12, rx: 1 });
      const box = { viewBox: "0 0 100 12", preserveAspectRatio: "none", "aria-hidden": "true" };
      return element(
        "li",
        {},
        element("span", { textContent: index + 1 }),
        element("span", { className: "name", textContent: name, title: name }),
        svg("svg", box, bar),
        element("b", { textContent: value.toLocaleString("en") }, element("small", { textContent: note })),
      );
    }),
  );
}

/** columns: [[heading, row => cell, class]] */
export function table(columns, rows) {
  const cell = (name, className, textContent) => element(name, { className: className ?? "", textContent });
  return element(
    "table",
    {},
    element("thead", {}, element("tr", {}, ...columns.map(([heading, , kind]) => cell("th", kind, heading)))),
    element(
      "tbody",
      {},
      ...rows.map((row) => element("tr", {}, ...columns.map(([, value, kind]) => cell("td", kind, value(row) ?? "")))),
    ),
  );
}

export function legend(items) {
  return items.map(({ name, colour, total }) =>
    element("li", {}, element("span", { className: `swatch ${colour}` }), `${name} ${total.toLocaleString("en")}`),
  );
}
