"""What the camera answers to a decrypted request: the few methods that our clients use.

Error codes and answer shapes are those seen in public logs of real cameras:
https://github.com/JurajNyiri/HomeAssistant-Tapo-Control/issues/471 (-40106) and /678 (-40210).
"""

import math
import time
from typing import Any

from simulators.tapo.behaviour import CameraBehaviour
from simulators.tapo.siren import Action, Siren

Json = dict[str, Any]

PARAMETER_DOES_NOT_EXIST = -40106
METHOD_DOES_NOT_EXIST = -40210


class Firmware:
    def __init__(self, behaviour: CameraBehaviour, siren: Siren, name: str) -> None:
        self._behaviour = behaviour
        self._siren = siren
        self._name = name

    def answer(self, request: Json) -> Json:
        method = request.get("method")
        if method == "multipleRequest":
            requests = (request.get("params") or {}).get("requests") or []
            return {
                "error_code": 0,
                "result": {"responses": [self._answer_one(one) for one in requests]},
            }
        if method == "do":
            return {"error_code": self._do(request)}
        return self._answer_one(request)

    def _do(self, request: Json) -> int:
        alarm = (request.get("msg_alarm") or {}).get("manual_msg_alarm") or {}
        action: Action | None = _one_of_start_and_stop(alarm.get("action"))
        if action is None or not self._behaviour.manual_alarm_supported:
            return PARAMETER_DOES_NOT_EXIST
        self._siren.switch(action, "manual_msg_alarm")
        return 0

    def _answer_one(self, request: Json) -> Json:
        method = request.get("method")
        params = request.get("params") or {}
        if method == "setSirenStatus":
            result = self._set_siren(params)
        elif method == "getSirenStatus":
            result = self._siren_status()
        else:
            result = self._read(str(method))
        if result is None:
            return {"method": method, "result": {}, "error_code": METHOD_DOES_NOT_EXIST}
        return {"method": method, "result": result, "error_code": 0}

    def _set_siren(self, params: Json) -> Json | None:
        # Cameras are asked under "msg_alarm", hubs under "siren".
        status = (params.get("msg_alarm") or params.get("siren") or {}).get("status")
        if not self._behaviour.siren_status_supported or status not in ("on", "off"):
            return None
        self._siren.switch("start" if status == "on" else "stop", "setSirenStatus")
        return {}

    def _siren_status(self) -> Json | None:
        if not self._behaviour.siren_status_supported:
            return None
        left = self._siren.seconds_left
        return {
            "status": "on" if self._siren.on else "off",
            "time_left": 0 if left is None else math.ceil(left),
        }

    def _read(self, method: str) -> Json | None:
        sound = {"enabled": "off", "alarm_type": "0", "light_type": "0", "alarm_mode": ["sound"]}
        match method:
            case "getDeviceInfo":
                return {"device_info": {"basic_info": self._basic_info()}}
            case "getPresetConfig":
                return {"preset": {"preset": {"id": [], "name": [], "read_only": []}}}
            case "getClockStatus":
                return {"system": {"clock_status": {"seconds_from_1970": int(time.time())}}}
            case "getLastAlarmInfo":
                return {"msg_alarm": {"chn1_msg_alarm_info": sound}}
            case "getAlarmConfig":
                return {"enabled": "off", "alarm_mode": ["siren"], "siren_duration": 3}
            case "getAlarmPlan":
                return {"msg_alarm_plan": {"enabled": "off"}}
            case "getSirenTypeList":
                return {"siren_type_list": ["Siren", "Tone"]}
            case "getLightTypeList":
                return {"light_type_list": ["flicker"]}
        return None

    def _basic_info(self) -> Json:
        return {
            "device_type": "SMART.IPCAMERA",
            "device_model": "C200",
            "device_name": "C200 3.0",
            "device_info": "C200 3.0 IPC",
            "device_alias": self._name,
            "hw_version": "3.0",
            "sw_version": "1.4.4 Build 250228 Rel.54710n",
            "mac": "00-00-5E-00-53-01",
        }


def _one_of_start_and_stop(word: object) -> Action | None:
    if word == "start":
        return "start"
    return "stop" if word == "stop" else None
