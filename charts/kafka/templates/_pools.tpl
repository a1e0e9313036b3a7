{{/*
The pools of nodes, as a list: name, roles, the numbers of its nodes, and the values of one node. Without controllers on
nodes of their own each broker is a controller too.
*/}}
{{- define "kafka.pools" -}}
{{- $brokers := pick .Values "replicas" "heap" "resources" "storage" "pod" -}}
{{- if .Values.controllers.replicas -}}
{{- $controllers := merge (dict "name" "controller" "roles" (list "controller") "ids" "[100-199]") .Values.controllers -}}
{{- list (merge (dict "name" "broker" "roles" (list "broker") "ids" "[0-99]") $brokers) $controllers | toYaml }}
{{- else -}}
{{- list (merge (dict "name" "dual" "roles" (list "controller" "broker") "ids" "[0-99]") $brokers) | toYaml }}
{{- end }}
{{- end }}

{{/*
The template of a pool's pods: the machines of its nodes are different ones where possible.
Arguments: the context, the pool.
*/}}
{{- define "kafka.poolTemplate" -}}
{{- $context := first . }}
{{- $labels := dict "strimzi.io/pool-name" (last .).name "strimzi.io/cluster" $context.Values.clusterName }}
{{- $term := dict "topologyKey" "kubernetes.io/hostname" "labelSelector" (dict "matchLabels" $labels) }}
{{- $apart := dict "preferredDuringSchedulingIgnoredDuringExecution" (list (dict "weight" 100 "podAffinityTerm" $term)) }}
{{- $containers := list "kafkaContainer" }}
{{- if $context.Values.rack.topologyKey }}{{ $containers = append $containers "initContainer" }}{{ end }}
{{- include "kafka.template" (list $context $labels (dict "podAntiAffinity" $apart) (last .).pod $containers) }}
{{- end }}
