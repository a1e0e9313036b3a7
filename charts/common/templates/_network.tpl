{{/*
The pods of these components as peers of a network policy. Strimzi's brokers have such a label too, `kafka`.
Arguments: names of components.
*/}}
{{- define "common.peers" -}}
{{- $peers := list }}
{{- range . }}
{{- $peers = append $peers (dict "podSelector" (dict "matchLabels" (dict "app.kubernetes.io/name" .))) }}
{{- end }}
{{- toYaml $peers }}
{{- end }}

{{/*
Egress to DNS, which every pod needs. Where DNS runs differs between clusters.
*/}}
{{- define "common.dns" -}}
- ports:
    {{- range .Values.global.networkPolicy.dnsPorts }}
    - {port: {{ . }}, protocol: UDP}
    - {port: {{ . }}, protocol: TCP}
    {{- end }}
  {{- with .Values.global.networkPolicy.dnsPeers }}
  to: {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}

{{/*
Egress to the Kubernetes API, which is not a pod and whose address a chart cannot know.
*/}}
{{- define "common.kubernetesApi" -}}
- ports:
    {{- range .Values.global.networkPolicy.apiServerPorts }}
    - {port: {{ . }}}
    {{- end }}
  {{- with .Values.global.networkPolicy.apiServerCidrs }}
  to:
    {{- range . }}
    - ipBlock: {cidr: {{ . | quote }}}
    {{- end }}
  {{- end }}
{{- end }}

{{/*
Ingress from what collects metrics; nothing if nobody may.
Arguments: the context, the ports with metrics.
*/}}
{{- define "common.scraped" -}}
{{- with (first .).Values.global.monitoring.from -}}
- from: {{- toYaml . | nindent 4 }}
  ports:
    {{- range rest $ }}
    - {port: {{ . }}}
    {{- end }}
{{- end }}
{{- end }}
