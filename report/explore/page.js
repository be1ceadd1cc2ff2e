// A map of all test images, and panels for one image, a selection, confusion, lists and guesses.
// What takes more than counting was computed by stages/hand_in/explore.py.

const find = (selector) => document.querySelector(selector);
const make = (name, properties, ...children) => {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  return element;
};
const data = JSON.parse(find("#data").textContent, (key, value) => {
  const [type, text] = Object.entries(Object(value))[0] ?? [];
  if (!/^U?[iI]nt\d+Array$/.test(type)) return value;
  return new globalThis[type](Uint8Array.from(atob(text), (one) => one.charCodeAt(0)).buffer);
});
await find("#sheet").decode();
const sheet = await createImageBitmap(find("#sheet"));
const controls = find("#controls").elements;
const [marks, overlay] = [find("#marks"), find("#overlay")];
const [paper, above] = [marks.getContext("2d"), overlay.getContext("2d")];
const rows = Uint32Array.from({ length: data.n }, (_, row) => row);
const [X, Y] = [new Float32Array(data.n), new Float32Array(data.n)]; // on the screen
const visible = new Uint8Array(data.n);
let only = {}; // by name of a colouring: the entries that alone are shown, or none for all
let view = new DOMMatrix(); // how the map is zoomed and moved
let selection = new Set(), kept = null, pointed = null, outline = [], step = -1;

const network = () => data.networks[controls.network.value];
const colorings = () => [...data.colorings, ...network().colorings];
const coloring = (name) => colorings().find((one) => one.name === name);
const list = () => [...network().lists, ...data.lists][find("#lists select").selectedIndex];
const written = (n, noun) => n.toLocaleString("en") + (noun ? ` ${noun}${n === 1 ? "" : "s"}` : "");
const short = ({ name, entries }, code) => entries[code].replace(new RegExp(`^${name} `), "");
const closed = (points) => new Path2D(`M${points.join("L")}z`);
const least = (cost, start) =>
  rows.reduce((best, row) => (cost(row) < cost(best) ? row : best), start);
const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name);
function tally({ entries, codes }, some) {
  const numbers = entries.map(() => 0);
  for (const row of some) numbers[codes[row]]++;
  return numbers;
}

// Marks: seven colours and six shapes, so that no two of up to 42 entries look the same.
const SHAPES = [
  "M-1 0a1 1 0 1 0 2 0a1 1 0 1 0-2 0", "M-.9-.9h1.8v1.8h-1.8z", "M0-1.2l1.1 2h-2.2z",
  "M0-1.2l1.2 1.2-1.2 1.2-1.2-1.2z", "M0 1.2l1.1-2h-2.2z", "M-.4-1h.8v2h-.8zM-1-.4h2v.8h-2z"];
function stamp({ entries, ordered }, code, radius) {
  const size = radius * devicePixelRatio, side = 2 * Math.ceil(1.2 * size);
  const canvas = make("canvas", { width: side, height: side }), pen = canvas.getContext("2d");
  const color = ordered ? `--o${Math.round((4 * code) / (entries.length - 1))}` : `--c${code % 7}`;
  pen.fillStyle = style(entries[code] === "none" ? "--quiet" : color);
  pen.setTransform(size, 0, 0, size, side / 2, side / 2);
  pen.fill(new Path2D(SHAPES[code % SHAPES.length]));
  return canvas;
}
function draw() {
  const { clientWidth: width, clientHeight: height } = marks, zoom = devicePixelRatio;
  for (const canvas of [marks, overlay])
    Object.assign(canvas, { width: Math.round(width * zoom), height: Math.round(height * zoom) });
  const points = data.projections[controls.projection.value], side = 0.94 * Math.min(width, height);
  for (const row of rows) {
    X[row] = view.a * (width / 2 + side * (points[2 * row] / 65535 - 0.5)) + view.e;
    Y[row] = view.a * (height / 2 + side * (points[2 * row + 1] / 65535 - 0.5)) + view.f;
  }
  const one = coloring(controls.coloring.value), { codes } = one, numbers = tally(one, rows);
  const radius = Math.max(2, side / 170) * Math.min(3, Math.sqrt(view.a));
  const stamps = numbers.map((_, code) => stamp(one, code, radius));
  const ranks = Float64Array.from(rows, (row) => 1e6 * selection.has(row) - numbers[codes[row]]);
  for (const row of rows.filter((row) => visible[row]).sort((a, b) => ranks[a] - ranks[b])) {
    const mark = stamps[codes[row]], middle = mark.width / 2;
    paper.globalAlpha = selection.size && !selection.has(row) ? 0.12 : 0.8;
    paper.drawImage(mark, X[row] * zoom - middle, Y[row] * zoom - middle);
  }
  drawAbove();
}
function drawAbove() {
  above.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
  above.clearRect(0, 0, overlay.clientWidth, overlay.clientHeight);
  above.strokeStyle = style("--ink");
  const near = kept === null ? [] : [[kept, 9, 3], ...[...nearest(kept)].map((row) => [row, 6, 1])];
  for (const [row, radius, width] of pointed === null ? near : [...near, [pointed, 8, 2]]) {
    above.lineWidth = width;
    above.stroke(new Path2D(`M${X[row] - radius} ${Y[row]}a${radius} ${radius} 0 1 1 0 .01z`));
  }
  if (outline.length) above.stroke(closed(outline));
}
let asked = 0;
const redraw = () => (asked ||= requestAnimationFrame(() => { asked = 0; draw(); }));

// One image: pointed at, or kept by a click.
const nearest = (row) => data.neighbors.subarray(row * data.k, (row + 1) * data.k);
function picture(row, canvas = make("canvas", { className: "picture", width: 28, height: 28 })) {
  const [x, y] = [28 * (row % data.columns), 28 * Math.floor(row / data.columns)];
  canvas.getContext("2d").drawImage(sheet, x, y, 28, 28, 0, 0, 28, 28);
  return canvas;
}
function tile(row, onclick = () => keep(row)) {
  const label = data.labels[row], predicted = network().predicted[row];
  const title = `row ${row}, label ${label}, predicted ${predicted}`;
  const caption = predicted === label ? `${label}` : `${label} → ${predicted}`;
  const hint = (row) => () => { pointed = row; drawAbove(); };
  return make("button", { className: "tile", title, onclick,
    onpointerenter: hint(row), onfocus: hint(row), onpointerleave: hint(null), onblur: hint(null),
  }, picture(row), caption);
}
const [FOR, AGAINST] = [[240, 90, 10], [20, 110, 220]]; // the prediction, as red, green and blue
function show() {
  const row = pointed ?? kept;
  drawAbove();
  find("#image").classList.toggle("empty", row === null);
  if (row === null) return;
  document.querySelectorAll("figure .picture").forEach((canvas) => picture(row, canvas));
  const names = ["label", "prediction", "cluster", "group", "density cluster", "doubt"];
  if (controls.reveal.checked) names.push("revealed class");
  const facts = { row };
  for (const name of names) facts[name] = short(coloring(name), coloring(name).codes[row]);
  facts.prediction += ` (confidence ${(network().confidence[row] / 100).toFixed(1)}%)`;
  find("#facts").innerHTML = Object.entries(facts)
    .map(([term, text]) => `<div><dt>${term}</dt><dd>${text}</dd></div>`).join("");
  const { height, width, values } = data.maps, pixels = new ImageData(width, height);
  for (let at = 0; at < width * height; at++) {
    const value = values[row * width * height + at], [r, g, b] = value > 0 ? FOR : AGAINST;
    pixels.data.set([r, g, b, Math.abs(1.6 * value)], 4 * at);
  }
  const heat = Object.assign(find("#heat canvas + canvas"), { width, height });
  heat.getContext("2d").putImageData(pixels, 0, 0);
  find("#near .tiles").replaceChildren(...Array.from(nearest(row), (row) => tile(row)));
}
const point = (row) => { if (row !== pointed) { pointed = row; show(); } };
const inView = (row) => visible[row] && Math.min(X[row], Y[row]) > 0 &&
  X[row] < marks.clientWidth && Y[row] < marks.clientHeight;
function keep(row) {
  [kept, pointed] = [row, null];
  if (row !== null && !inView(row))
    zoom(1, [0, 0], [marks.clientWidth / 2 - X[row], marks.clientHeight / 2 - Y[row]]);
  show();
}

// Many images: drawn around, in view, of a cell or a label.
function select(some, words = "selected") {
  selection = new Set(some);
  const all = [...(some.length ? some : rows.filter((row) => visible[row]))];
  const shown = all.toSorted((a, b) => Math.imul(a, 40503 ** 2) - Math.imul(b, 40503 ** 2));
  find("#selected").textContent =
    `${written(all.length, "image")} ${some.length ? words : "shown, none selected"}`;
  find("#csv").hidden = find("#none").hidden = !some.length;
  find("#sampled").textContent = all.length > 120 ? "120 of them, drawn at random:" : "";
  find("#bars").innerHTML = ["label", "cluster", "prediction"].map((name) => {
    const one = coloring(name), numbers = tally(one, all), percent = 100 / Math.max(...numbers);
    return `<div><h3>By ${name}</h3>${numbers.map((n, code) => `<div class="bar">${short(one, code)}
      <i style="width: ${n * percent}%"></i>${written(n)}</div>`).join("")}</div>`;
  }).join("");
  find("#selection .tiles").replaceChildren(...shown.slice(0, 120).map((row) => tile(row)));
  if (some.length) find('nav [value="selection"]').checked = true;
  redraw();
}
find("#visible").onclick = () => select(rows.filter(inView), "in view");
find("#none").onclick = () => select([]);
find("#csv").onclick = () => {
  const href = `data:text/csv,test_row%0A${[...selection].join("%0A")}%0A`;
  make("a", { href, download: "rows.csv" }).click();
};

// What the controls say.
function update() {
  find("#revealed").hidden = !controls.reveal.checked;
  if (find("#revealed").hidden && find("#revealed").selected) controls.coloring.value = "label";
  const one = coloring(controls.coloring.value), numbers = tally(one, rows);
  const picked = (only[one.name] ??= new Set());
  find("#legend").classList.toggle("some", picked.size > 0);
  find("#legend").replaceChildren(...one.entries.map((words, value) => {
    const state = { value, ariaPressed: picked.has(value), hidden: !numbers[value] };
    const number = make("small", {}, written(numbers[value]));
    return make("button", state, stamp(one, value, 5), words, number);
  }));
  const filters = colorings().filter(({ name }) => only[name]?.size);
  for (const row of rows)
    visible[row] = filters.every(({ name, codes }) => only[name].has(codes[row]));
  const entries = (one) => [...only[one.name]].map((code) => short(one, code)).join(" or ");
  const by = filters.map((one) => `, only ${one.name} ${entries(one)}`).join("");
  const n = visible.reduce((sum, one) => sum + one);
  find("#shown").textContent = `${written(n)} of ${written(data.n, "image")} shown${by}`;
  find("#clear").hidden = !filters.length;
  show();
  selection.size ? redraw() : select([]);
}
find("#legend").onclick = ({ target }) => {
  const value = +target.closest("button")?.value, picked = only[controls.coloring.value];
  picked.delete(value) || picked.add(value);
  update();
  find("#legend").children[value].focus();
};
find("#clear").onclick = () => { only = {}; update(); };
function updateNetwork() {
  for (const button of document.querySelectorAll("#confusion button")) {
    const [label, other] = button.value, { predicted } = network();
    const some = rows.filter((row) => data.labels[row] === +label && predicted[row] === +other);
    button.textContent = written(some.length);
    button.className = label === other ? "right" : some.length ? "" : "none";
    button.onclick = () => select(some, `of label ${label}, predicted ${other}`);
  }
  openList();
}
function openList() {
  step = -1;
  const { rows, how } = list(), tiles = rows.map((row, at) => tile(row, () => stepTo(at)));
  find("#lists p").textContent = `${written(rows.length, "image")}, ${how}`;
  find("#lists .tiles").replaceChildren(...tiles);
}
function stepTo(to) {
  const { rows, notes } = list(), tiles = [...find("#lists .tiles").children];
  step = (to + rows.length) % rows.length;
  tiles.forEach((one, at) => (one.ariaCurrent = at === step));
  tiles[step].scrollIntoView({ block: "nearest" });
  find("#lists [role]").textContent = `${step + 1} of ${rows.length}: ${notes[step]}`;
  keep(rows[step]);
}
find("#lists .row").onclick = ({ target: { type, value } }) =>
  type === "button" && list().rows.length && stepTo(step < 0 ? Math.min(value, 0) : step + +value);
find("#lists select").onchange = openList;
find("#guesses form").oninput = () => {
  const guesses = [...document.querySelectorAll("#guesses input")];
  const lines = guesses.map(({ value }) => `  - ${JSON.stringify(value)}\n`);
  find("#guesses pre").textContent = `guess:\n  words:\n${lines.join("")}`;
};
find("#guesses form").onclick = ({ target: { type, value } }) => type === "button" &&
  select(rows.filter((row) => data.labels[row] === +value), `of label ${value}`);

// Fingers, mouse, wheel and keys on the map.
const fingers = new Map();
const at = ({ offsetX, offsetY }) => [offsetX, offsetY];
function closest([x, y], reach) {
  const far = (row) => (visible[row] ? Math.hypot(X[row] - x, Y[row] - y) : Infinity);
  const best = least(far, 0);
  return far(best) <= reach ? best : null;
}
function zoom(factor, [x, y], [dx, dy] = [0, 0]) {
  const by = Math.min(80 / view.a, Math.max(0.5 / view.a, factor));
  view = new DOMMatrix([by, 0, 0, by, x + dx - by * x, y + dy - by * y]).multiply(view);
  redraw();
}
const grip = () => { // the middle between fingers, and how far apart they are
  const [[x, y], [u, v] = [x, y]] = fingers.values();
  return [(x + u) / 2, (y + v) / 2, Math.hypot(x - u, y - v) || 1];
};
overlay.onpointerdown = (event) => {
  overlay.setPointerCapture(event.pointerId);
  fingers.set(event.pointerId, at(event));
  outline = fingers.size === 1 ? [at(event)] : [];
};
overlay.onpointermove = (event) => {
  if (!fingers.has(event.pointerId)) return point(closest(at(event), 14));
  const [x, y, apart] = grip(), [[left, top] = []] = outline, [right, bottom] = at(event);
  fingers.set(event.pointerId, at(event));
  const [u, v, now] = grip();
  if (fingers.size > 1 || controls.tool.value === "move") {
    if (Math.hypot(right - left, bottom - top) > 4) outline = [];
    zoom(now / apart, [x, y], [u - x, v - y]);
  } else if (controls.tool.value === "lasso" && outline.length) outline.push(at(event));
  else if (outline.length) outline = [[left, top], [right, top], [right, bottom], [left, bottom]];
  drawAbove();
};
overlay.onpointerup = overlay.onpointercancel = (event) => {
  const shape = outline, [[left, top] = []] = shape, path = closed(shape);
  outline = [];
  fingers.delete(event.pointerId);
  const inside = (row) => visible[row] && paper.isPointInPath(path, X[row], Y[row], "evenodd");
  if (shape.some(([x, y]) => Math.hypot(x - left, y - top) > 4)) select(rows.filter(inside));
  else if (shape.length) keep(closest(at(event), 14));
};
overlay.onpointerleave = () => point(null);
overlay.onwheel = (turn) => { turn.preventDefault(); zoom(2 ** (-turn.deltaY / 300), at(turn)); };
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
function press(key) {
  const middle = [marks.clientWidth / 2, marks.clientHeight / 2];
  if (key in ARROWS) {
    const [right, down] = ARROWS[key], from = pointed ?? kept ?? closest(middle, Infinity);
    const ahead = (row) => (X[row] - X[from]) * right + (Y[row] - Y[from]) * down;
    const cost = (row) => visible[row] && ahead(row) > 2
      ? 2 * Math.hypot(X[row] - X[from], Y[row] - Y[from]) - ahead(row) : Infinity;
    point(least(cost, from));
  } else if (key === "Enter") keep(pointed);
  else if (key === "Escape") { keep(null); select([]); }
  else if (key === "+" || key === "-") zoom(key === "+" ? 1.5 : 2 / 3, middle);
  else if (key === "0") { view = new DOMMatrix(); redraw(); }
  else return false;
  return true;
}
overlay.onkeydown = (event) => { if (press(event.key)) event.preventDefault(); };
find("#zoom").onclick = ({ target }) => press(target.value);

controls.network.onchange = updateNetwork;
find("#controls").onchange = update;
find("#reveal").hidden = !coloring("revealed class");
matchMedia("(prefers-color-scheme: dark)").onchange = update;
new ResizeObserver(redraw).observe(find("#paper"));
updateNetwork();
update();
find("#guesses form").oninput();
