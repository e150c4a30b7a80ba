// The list of zones, and the form of the one that is chosen.

export class Panel {
  constructor(desk, words, kinds) {
    Object.assign(this, { desk, words, kinds });
    this.list = document.getElementById("zone-list");
    this.empty = document.getElementById("zone-none");
    this.form = document.getElementById("zone-form");
    this.hint = document.getElementById("zone-hint");
    this.rules = document.getElementById("zone-rules");
    this.faults = document.getElementById("zone-faults");
    this.fields = Object.fromEntries(
      ["name", "kind", "enabled", "schedule"].map((name) => [name, document.getElementById(`zone-${name}`)]),
    );
    this.listen();
  }

  listen() {
    const { name, kind, enabled, schedule } = this.fields;
    const set = (changes, tag) => this.desk.set(this.desk.chosen, changes, tag);
    name.addEventListener("input", () => set({ name: name.value }, `name:${this.desk.chosen}`));
    kind.addEventListener("change", () => this.desk.setKind(this.desk.chosen, kind.value));
    enabled.addEventListener("change", () => set({ enabled: enabled.checked }));
    schedule.addEventListener("change", () => set({ schedule: schedule.value ? Number(schedule.value) : null }));
    this.rules.addEventListener("input", (event) => {
      const option = event.target.closest("[data-option]");
      if (option) this.desk.setOption(this.desk.chosen, option.dataset.option, read(option));
    });
    this.list.addEventListener("click", (event) => {
      const row = event.target.closest("[data-zone]");
      if (row) this.desk.choose(row.dataset.zone);
    });
    for (const [id, act] of [["zone-flip", "flip"], ["zone-remove", "remove"]]) {
      document.getElementById(id).addEventListener("click", () => this.desk[act](this.desk.chosen));
    }
  }

  draw({ zones, chosen, faults }) {
    this.drawList(zones, chosen, faults);
    const zone = zones.find((one) => one.key === chosen);
    this.form.hidden = !zone;
    this.hint.hidden = Boolean(zone) || !zones.length;
    this.empty.hidden = zones.length > 0;
    if (zone) this.drawForm(zone, faults.get(zone.key));
  }

  drawList(zones, chosen, faults) {
    const rows = new Map([...this.list.children].map((row) => [row.firstElementChild.dataset.zone, row]));
    zones.forEach((zone, index) => {
      const row = rows.get(zone.key) ?? newRow(zone.key);
      rows.delete(zone.key);
      if (this.list.children[index] !== row) this.list.insertBefore(row, this.list.children[index] ?? null);
      const [button] = row.children;
      const [swatch, name, kind, mark] = button.children;
      button.setAttribute("aria-pressed", zone.key === chosen);
      button.classList.toggle("is-wrong", faults.has(zone.key));
      swatch.dataset.kind = zone.kind;
      name.textContent = zone.name || "–";
      kind.textContent = this.kinds[zone.kind].label;
      mark.textContent = faults.has(zone.key) ? "!" : zone.enabled ? "" : this.words("off");
    });
    for (const row of rows.values()) row.remove();
  }

  drawForm(zone, fault) {
    const { name, kind, enabled, schedule } = this.fields;
    const mayEdit = this.desk.mayEdit(zone);
    const { line, hours, told } = this.kinds[zone.kind];
    if (name.value !== zone.name) name.value = zone.name;
    kind.value = zone.kind;
    enabled.checked = zone.enabled;
    schedule.value = zone.schedule ?? "";
    schedule.closest(".zone-field").hidden = !hours && zone.schedule === null;
    document.getElementById("zone-told").textContent = told;
    document.getElementById("zone-flip").hidden = !line || !mayEdit;
    document.getElementById("zone-remove").hidden = !this.desk.may.delete && Boolean(zone.id);
    for (const option of kind.options) option.hidden = this.kinds[option.value].line !== line;
    for (const field of Object.values(this.fields)) field.disabled = !mayEdit;
    this.faults.replaceChildren(...(fault?.messages ?? []).map((text) => {
      const item = document.createElement("li");
      item.textContent = text;
      return item;
    }));
    name.setAttribute("aria-invalid", Boolean(fault?.fields?.name));
    this.drawRules(zone, fault, mayEdit);
  }

  drawRules(zone, fault, mayEdit) {
    if (this.rules.dataset.kind !== zone.kind || this.rules.dataset.zone !== zone.key) {
      const template = document.getElementById(`zone-options-${zone.kind}`);
      this.rules.replaceChildren(template.content.cloneNode(true));
      Object.assign(this.rules.dataset, { kind: zone.kind, zone: zone.key });
    }
    for (const option of this.rules.querySelectorAll("[data-option]")) {
      const own = valueOf(zone.settings, option.dataset.option);
      write(option, own);
      const isOwn = own !== undefined;
      option.querySelector("[data-value]").textContent = isOwn ? spell(own, option) : option.dataset.inherited;
      const from = option.querySelector("[data-from]");
      from.textContent = isOwn ? this.words("set_here") : option.dataset.source;
      from.className = isOwn ? "co-label co-active" : "";
      const told = option.querySelector("[data-fault]");
      told.textContent = fault?.fields?.[option.dataset.option] ?? "";
      told.hidden = !told.textContent;
      option.classList.toggle("co-wrong", !told.hidden);
      for (const input of option.querySelectorAll("input, select")) input.disabled = !mayEdit;
    }
    for (const section of this.rules.querySelectorAll(".zone-rule")) {
      const own = [...section.querySelectorAll("[data-option]")].filter(
        (option) => valueOf(zone.settings, option.dataset.option) !== undefined,
      ).length;
      const label = section.querySelector("[data-own]");
      label.hidden = !own;
      label.textContent = `${own} ${this.words("set_here")}`;
      const isWrong = section.querySelector(".co-wrong");
      const around = section.closest(".zone-elsewhere");
      if (isWrong) section.open = true;
      if (around && (own || isWrong) && !around.dataset.shown) {
        around.open = true; // once: it may be closed again
        around.dataset.shown = "1";
      }
    }
  }
}

function newRow(key) {
  const row = document.createElement("li");
  const button = document.createElement("button");
  button.type = "button";
  button.className = "zone-row";
  button.dataset.zone = key;
  for (const name of ["zone-swatch", "zone-row-name", "zone-row-kind", "zone-row-mark"]) {
    const span = document.createElement("span");
    span.className = name;
    button.append(span);
  }
  row.append(button);
  return row;
}

// --- options: a field of the page and the value in the zone's settings ---------------------------

export function valueOf(settings, option) {
  return option.split(".").reduce((value, part) => value?.[part], settings);
}

/** The settings with an option set; with undefined it is inherited again. */
export function withOption(settings, option, value) {
  const [first, ...rest] = option.split(".");
  const inner = rest.length ? withOption(settings?.[first] ?? {}, rest.join("."), value) : value;
  const { [first]: _old, ...others } = settings ?? {};
  const isEmpty = inner === undefined || (rest.length > 0 && !Object.keys(inner).length);
  return isEmpty ? others : { ...others, [first]: inner };
}

function read(option) {
  const { takes } = option.dataset;
  const [input] = option.querySelectorAll("input, select");
  if (takes === "many") {
    const chosen = [...option.querySelectorAll("input:checked")].map((box) => box.value);
    return chosen.length ? chosen : undefined;
  }
  const text = input.value.trim();
  if (!text) return undefined;
  if (takes === "truth") return text === "true";
  if (takes === "number") return Number(text);
  if (takes === "words") return text.split(",").map((word) => word.trim()).filter(Boolean);
  if (takes === "json") {
    try {
      return JSON.parse(text);
    } catch {
      return text; // the server says what is wrong with it
    }
  }
  return text;
}

function write(option, value) {
  const { takes } = option.dataset;
  if (takes === "many") {
    for (const box of option.querySelectorAll("input")) box.checked = (value ?? []).includes(box.value);
    return;
  }
  const [input] = option.querySelectorAll("input, select");
  const text = value === undefined ? "" : takes === "words" ? value.join(", ") : takes === "json" ? JSON.stringify(value) : String(value);
  const same = input === document.activeElement && read(option) === value;
  if (!same && input.value !== text) input.value = text;
}

function spell(value, option) {
  if (option.dataset.takes === "truth") {
    const shown = option.querySelector(`option[value="${value}"]`);
    return shown ? shown.textContent : String(value);
  }
  return Array.isArray(value) ? value.join(", ") : String(value);
}
