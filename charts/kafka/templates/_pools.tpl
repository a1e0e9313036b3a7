{{/*
The pools of nodes, as a list: name, roles, the numbers of its nodes, and the values of one node. Without controllers on
nodes of their own each broker is a controller too.
*/}}
{{- define "kafka.pools" -}}
{{- $brokers := pick .Values "replicas" "heap" "resources" "storage" -}}
{{- if .Values.controllers.replicas -}}
{{- $controllers := merge (dict "name" "controller" "roles" (list "controller") "ids" "[100-199]") .Values.controllers -}}
{{- list (merge (dict "name" "broker" "roles" (list "broker") "ids" "[0-99]") $brokers) $controllers | toYaml }}
{{- else -}}
{{- list (merge (dict "name" "dual" "roles" (list "controller" "broker") "ids" "[0-99]") $brokers) | toYaml }}
{{- end }}
{{- end }}

{{/*
The template of a pool's pods, except for their metadata: the machines of its nodes are different ones where possible.
Arguments: the context, the pool.
*/}}
{{- define "kafka.poolPod" -}}
{{- include "kafka.pod" (first .) }}
affinity:
  podAntiAffinity:
    preferredDuringSchedulingIgnoredDuringExecution:
      - weight: 100
        podAffinityTerm:
          topologyKey: kubernetes.io/hostname
          labelSelector:
            matchLabels: {strimzi.io/pool-name: {{ (last .).name }}, strimzi.io/cluster: {{ (first .).Values.clusterName }}}
{{- end }}
