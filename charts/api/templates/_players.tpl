{{/*
The mode in which the API finds out who players are, if it has what it needs.
*/}}
{{- define "api.players" -}}
{{- $players := .Values.players -}}
{{- if and (eq $players.mode "claimed") (not .Values.world.enabled) }}
{{- fail "players.mode: claimed needs world.enabled: names are claimed in the world's store" }}
{{- end }}
{{- if and (eq $players.mode "claimed") $players.jwksUrl }}
{{- fail "players.jwksUrl: expected none in mode claimed, where the API makes the tokens" }}
{{- end }}
{{- if and $players.jwksUrl (not (and $players.issuer $players.audience)) }}
{{- fail "players.issuer and players.audience: are needed with players.jwksUrl" }}
{{- end }}
{{- $players.mode }}
{{- end }}

{{/*
Whether the API signs tokens: "true", or nothing.
*/}}
{{- define "api.signsTokens" -}}
{{ if not (or (eq .Values.players.mode "open") .Values.players.jwksUrl) }}true{{ end }}
{{- end }}

{{/*
The Secret with the secrets that sign them.
*/}}
{{- define "api.playersSecret" -}}
{{ .Values.players.existingSecret | default "api-players" }}
{{- end }}

{{/*
The volume mounts with secrets, digests of keys and suppressed names. Whole folders, so that the API sees changes without a restart.
*/}}
{{- define "api.players.mounts" -}}
{{- if include "api.signsTokens" . }}
- {name: players, mountPath: /players, readOnly: true}
{{- end }}
{{- if .Values.ingestion.existingSecret }}
- {name: ingestion, mountPath: /ingestion, readOnly: true}
{{- end }}
{{- if .Values.players.suppressedSecret }}
- {name: suppressed, mountPath: /suppressed, readOnly: true}
{{- end }}
{{- end }}

{{/*
The volumes with them.
*/}}
{{- define "api.players.volumes" -}}
{{- if include "api.signsTokens" . }}
- {name: players, secret: {secretName: {{ include "api.playersSecret" . }}}}
{{- end }}
{{- with .Values.ingestion.existingSecret }}
- {name: ingestion, secret: {secretName: {{ . }}}}
{{- end }}
{{- with .Values.players.suppressedSecret }}
- {name: suppressed, secret: {secretName: {{ . }}}}
{{- end }}
{{- end }}
