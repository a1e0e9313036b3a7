package main

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"os"
	"regexp"
	"strings"
)

// An action is an unconditional event type of the contract, as the benchmark passes it.
type action struct {
	Name        string              `json:"name"`
	Path        string              `json:"path"`
	Description string              `json:"description"`
	Answer      string              `json:"answer"`
	Strength    *normalDistribution `json:"strength"`
}

// A normalDistribution is drawn as an integer, clipped to Low to High.
type normalDistribution struct {
	Mean  float64 `json:"mean"`
	Sigma float64 `json:"sigma"`
	Low   int     `json:"low"`
	High  int     `json:"high"`
}

func (n *normalDistribution) draw() *int {
	if n == nil {
		return nil
	}
	drawn := int(math.RoundToEven(rand.NormFloat64()*n.Sigma + n.Mean))
	drawn = min(n.High, max(n.Low, drawn))
	return &drawn
}

// A contract is what the benchmark passes: the limits and settings of the API, and its unconditional actions.
type contract struct {
	SchemaVersion     int      `json:"schema_version"`
	Longest           int      `json:"longest"`
	LongestName       int      `json:"longest_name"`
	LongestKey        int      `json:"longest_key"`
	Stored            int      `json:"stored"`
	Previews          []string `json:"previews"`
	Purposes          []string `json:"purposes"`
	LingerMS          int      `json:"linger_ms"`
	DeliveryTimeoutMS int      `json:"delivery_timeout_ms"`
	Actions           []action `json:"actions"`

	preview *regexp.Regexp
}

var prefetch = regexp.MustCompile("(?i)prefetch|prerender|preview")

func readContract(path string) (*contract, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	rules := &contract{}
	if err := json.Unmarshal(data, rules); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	quoted := make([]string, len(rules.Previews))
	for index, one := range rules.Previews {
		quoted[index] = regexp.QuoteMeta(one)
	}
	rules.preview, err = regexp.Compile("(?i)" + strings.Join(quoted, "|"))
	return rules, err
}

// refuseSpeculation refuses a prefetch or a link preview.
func (c *contract) refuseSpeculation(headers http.Header) error {
	for _, name := range c.Purposes {
		if value := headers.Get(name); value != "" && prefetch.MatchString(value) {
			return &invalidError{name, "expected a player's own request, got a prefetch", http.StatusForbidden}
		}
	}
	if c.preview.MatchString(headers.Get("User-Agent")) {
		return &invalidError{"User-Agent", "expected a player's own request, got a link preview's", http.StatusForbidden}
	}
	return nil
}
