// Zones to the server and back: kept all at once, or told what is wrong with them.

export class Keeper {
  constructor(desk, words, given) {
    Object.assign(this, { desk, words, given, mark: given.mark, isSaving: false });
    this.refused = new Map(); // what the server said is wrong, until the zone is changed
  }

  plain() {
    const { desk } = this;
    return desk.story.zones.map(({ key, ...zone }) => zone);
  }

  async save() {
    const { desk } = this;
    if (this.isSaving) return;
    const sent = desk.story.zones;
    this.isSaving = true;
    desk.say("saving");
    desk.draw();
    const answer = await this.post(this.given.save, { mark: this.mark, zones: this.plain() });
    this.isSaving = false;
    if (answer.ok) this.kept(sent, answer);
    else this.refuse(sent, answer);
    desk.draw();
  }

  async post(address, body) {
    const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
    try {
      const answer = await fetch(address, {
        method: "POST", redirect: "error", body: JSON.stringify(body),
        headers: { "Content-Type": "application/json", "X-CSRFToken": token, Accept: "application/json" },
      });
      return { status: answer.status, ...(await answer.json()) };
    } catch {
      return { ok: false, status: 0, message: this.words("no_answer") };
    }
  }

  kept(sent, answer) {
    const { desk } = this;
    const byName = Object.fromEntries(answer.zones.map((zone) => [zone.name, zone.id]));
    this.mark = answer.mark;
    this.refused.clear();
    desk.story.keep(sent, Object.fromEntries(sent.map((zone) => [zone.key, byName[zone.name.trim()]])));
    desk.say(answer.message, "good");
  }

  refuse(sent, answer) {
    const { desk } = this;
    this.refused.clear();
    for (const { zone: index, field, message } of answer.faults ?? []) {
      const zone = sent[index];
      if (!zone) continue;
      const told = this.refused.get(zone.key) ?? { zone, messages: [], fields: {} };
      told.fields[field] = message;
      if (!field.includes(".")) told.messages.push(message);
      this.refused.set(zone.key, told);
    }
    const [first] = this.refused.keys();
    if (first) desk.chosen = first;
    document.getElementById("zone-theirs").hidden = answer.status !== 409;
    const unnamed = (answer.faults ?? []).filter((one) => sent[one.zone] === undefined).map((one) => one.message);
    desk.say([answer.message, ...unnamed].join(" "), "bad");
  }
}
