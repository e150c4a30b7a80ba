// The page of one episode. Each part of it works alone; here they meet.

import { Acts } from "./acts.js";
import { wireControls } from "./controls.js";
import { Film } from "./film.js";
import { wireKeys } from "./keys.js";
import { Live } from "./live.js";
import { read } from "./words.js";

const root = document.getElementById("episode");
const data = read("episode-film");
const film = new Film(root.querySelector("[data-film]"));
wireControls(film);
wireKeys();
new Acts(root, new Live(root, data, film));
root.classList.add("ep-scripted");
film.take(data);
