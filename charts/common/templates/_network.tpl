{{/*
The pods of these components as peers of a network policy. Strimzi's brokers have such a name too, `kafka`.
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
The egress that every pod needs: names. Where the cluster's DNS runs differs from cluster to cluster.
*/}}
{{- define "common.dns" -}}
- ports: [{port: 53, protocol: UDP}, {port: 53, protocol: TCP}]
{{- end }}

{{/*
Egress to the Kubernetes API, which is no pod and has no address that a chart could know.
*/}}
{{- define "common.kubernetesApi" -}}
- ports: [{port: 443}, {port: 6443}]
{{- end }}
