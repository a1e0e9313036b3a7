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
- ports: [{port: 53, protocol: UDP}, {port: 53, protocol: TCP}]
{{- end }}

{{/*
Egress to the Kubernetes API, which is not a pod and whose address a chart cannot know.
*/}}
{{- define "common.kubernetesApi" -}}
- ports: [{port: 443}, {port: 6443}]
{{- end }}
