{{/*
Rejects changes of a live cluster that neither Strimzi nor Kafka can make. The topic operator changes a topic's settings
before it refuses other copies, so that minInsyncReplicas could exceed the copies there are: then no event is accepted.
`helm template` sees no cluster, and rejects nothing.
*/}}
{{- define "kafka.refuseChanges" -}}
{{- $live := dict }}
{{- range (lookup "kafka.strimzi.io/v1" "KafkaNodePool" .Release.Namespace "").items }}
{{- if eq (dig "labels" "strimzi.io/cluster" "" .metadata) $.Values.clusterName }}
{{- $_ := set $live .metadata.name .spec }}
{{- end }}
{{- end }}
{{- if $live }}{{ include "kafka.refuseOtherNodes" (list . $live) }}{{ end }}
{{- with lookup "kafka.strimzi.io/v1" "KafkaTopic" .Release.Namespace .Values.global.kafka.topic }}
{{- include "kafka.refuseOtherCopies" (list $ .) }}
{{- end }}
{{- end }}

{{/*
Arguments: the context, the specs of the live pools by their names.
*/}}
{{- define "kafka.refuseOtherNodes" -}}
{{- $context := first . }}
{{- $live := last . }}
{{- $how := "see docs/operating.md, Changing Kafka's nodes and copies" }}
{{- $pools := include "kafka.pools" $context | fromYamlArray }}
{{- $names := list }}
{{- range $pools }}{{ $names = append $names .name }}{{ end }}
{{- if ne (keys $live | sortAlpha | join " ") ($names | sortAlpha | join " ") }}
{{- fail (printf "controllers.replicas: the live cluster has the pools %s, not %s, and nodes keep their roles: %s" (keys $live | sortAlpha | join " and ") (join " and " $names) $how) }}
{{- end }}
{{- range $pools }}
{{- $current := int (index $live .name).replicas }}
{{- if and (has "controller" .roles) (ne (int .replicas) $current) }}
{{- fail (printf "%sreplicas: the live cluster has %d controllers, and Kafka cannot have %v: %s" (eq .name "dual" | ternary "" "controllers.") $current .replicas $how) }}
{{- end }}
{{- if lt (int .replicas) $current }}
{{- fail (printf "replicas: the live cluster has %d brokers; before there are %v, move their partitions and scale the pool: %s" $current .replicas $how) }}
{{- end }}
{{- end }}
{{- end }}

{{/*
Arguments: the context, the live topic.
*/}}
{{- define "kafka.refuseOtherCopies" -}}
{{- $values := (first .).Values }}
{{- $topic := last . }}
{{- $how := "see docs/operating.md, Changing Kafka's nodes and copies" }}
{{- if ne (int $topic.spec.replicas) (int $values.replicationFactor) }}
{{- fail (printf "replicationFactor: the live topic has %v copies; make them %v by hand first: %s" $topic.spec.replicas $values.replicationFactor $how) }}
{{- end }}
{{- if gt (int $topic.spec.partitions) (int $values.topic.partitions) }}
{{- fail (printf "topic.partitions: the live topic has %v, and Kafka cannot remove partitions" $topic.spec.partitions) }}
{{- end }}
{{- range dig "status" "conditions" list $topic }}
{{- if and (contains "Replication factor" (.message | default "")) (gt (int $values.minInsyncReplicas) 1) }}
{{- fail (printf "minInsyncReplicas: the live topic does not have its %v copies yet (%s): %s" $topic.spec.replicas .message $how) }}
{{- end }}
{{- end }}
{{- end }}
