package main

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// As in game_events/event_ids.py.
const (
	serviceTag  = "a9d7"
	retryWithin = 10 * time.Minute
)

// An event has the fields of the event contract, in the order in which the API writes them.
type event struct {
	ID            string `json:"event_id"`
	Type          string `json:"event_type"`
	SchemaVersion int    `json:"schema_version"`
	ReceivedAt    int64  `json:"received_at"`
	Player        string `json:"player"`
	Host          string `json:"host,omitempty"`
	UserAgent     string `json:"user_agent,omitempty"`
	Accept        string `json:"accept,omitempty"`
	PlayerName    string `json:"player_name,omitempty"`
	Idempotent    bool   `json:"idempotent,omitempty"`
	Description   string `json:"description,omitempty"`
	Strength      *int   `json:"strength,omitempty"`
}

// encode returns compact JSON without Go's escapes for HTML, as the API writes it.
func (e *event) encode() ([]byte, error) {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(e); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(buffer.Bytes(), []byte("\n")), nil
}

// An invalidError is a client's mistake: the answer is 400, or 403 for a request that is no player's own.
type invalidError struct {
	field, problem string
	status         int
}

func (e *invalidError) Error() string { return e.field + ": " + e.problem }

func invalid(field, problem string) error {
	return &invalidError{field, problem, http.StatusBadRequest}
}

// newEvent checks a request as the API does, and makes the event.
func (c *contract) newEvent(request *http.Request, done action) (*event, error) {
	if err := c.refuseSpeculation(request.Header); err != nil {
		return nil, err
	}
	if request.URL.RawQuery != "" || request.ContentLength != 0 {
		return nil, invalid("query", "expected no parameters and no body")
	}
	now := time.Now()
	made := &event{
		Type: done.Name, SchemaVersion: c.SchemaVersion, ReceivedAt: now.UnixMilli(),
		Description: done.Description, Strength: done.Strength.draw(),
	}
	var err error
	// net/http moves Host out of the headers.
	if made.Host, err = c.stored("Host", []string{request.Host}); err != nil {
		return nil, err
	}
	if made.UserAgent, err = c.stored("User-Agent", request.Header["User-Agent"]); err != nil {
		return nil, err
	}
	if made.Accept, err = c.stored("Accept", request.Header["Accept"]); err != nil {
		return nil, err
	}
	if err = made.setPlayer(request.Header["X-Player"], c.LongestName); err != nil {
		return nil, err
	}
	return made, made.setID(request.Header["Idempotency-Key"], now, c.LongestKey)
}

func (e *event) setPlayer(given []string, longest int) error {
	header, name := "Host", withoutPort(e.Host)
	if given != nil {
		header = "X-Player"
		var err error
		if name, err = single(header, given, longest); err != nil {
			return err
		}
	}
	player := strings.Join(strings.Fields(strings.ToLower(name)), " ")
	if given == nil {
		player = strings.TrimSuffix(player, ".")
	} else if player != name {
		e.PlayerName = name
	}
	if player == "" || len(player) > longest || strings.Contains(player, ",") || !isASCII(player) {
		return invalid(header, "invalid player name")
	}
	e.Player = player
	return nil
}

func (e *event) setID(given []string, now time.Time, longest int) error {
	if given == nil {
		e.ID = newID(now)
		return nil
	}
	key, err := single("Idempotency-Key", given, longest)
	if err != nil {
		return err
	}
	if isServiceMade(key) && !mayBeRetried(key, now) {
		return invalid("Idempotency-Key", "expected an id of your own")
	}
	e.ID, e.Idempotent = key, true
	return nil
}

// stored returns a header's value as events store it.
func (c *contract) stored(header string, values []string) (string, error) {
	value := strings.Join(values, ", ")
	if problem := problemOf(value, c.Longest); problem != "" {
		return "", invalid(header, problem)
	}
	if len(value) > c.Stored {
		characters := []rune(value)
		value = string(characters[:min(len(characters), c.Stored)])
	}
	return value, nil
}

func single(header string, values []string, longest int) (string, error) {
	value := strings.Join(values, ",")
	if value == "" || strings.Contains(value, ",") {
		return "", invalid(header, "expected a single value")
	}
	if problem := problemOf(value, longest); problem != "" {
		return "", invalid(header, problem)
	}
	return value, nil
}

func problemOf(value string, longest int) string {
	if !utf8.ValidString(value) {
		return "is not UTF-8"
	}
	if utf8.RuneCountInString(value) > longest {
		return fmt.Sprintf("expected a string of at most %d characters", longest)
	}
	for _, one := range value {
		if one < ' ' || one == 0x7f {
			return "expected no control character"
		}
	}
	return ""
}

func withoutPort(host string) string {
	if colon := strings.LastIndexByte(host, ':'); colon >= 0 {
		if _, err := strconv.ParseUint(host[colon+1:], 10, 16); err == nil || colon == len(host)-1 {
			return host[:colon]
		}
	}
	return host
}

func isASCII(text string) bool {
	for index := range len(text) {
		if text[index] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// newID returns a UUIDv7 with the tag of ids that the service makes.
func newID(now time.Time) string {
	var drawn [8]byte
	// It never fails.
	_, _ = rand.Read(drawn[:])
	digits := hex.EncodeToString(drawn[:])
	milliseconds := fmt.Sprintf("%012x", now.UnixMilli())
	return milliseconds[:8] + "-" + milliseconds[8:] + "-7" + digits[:3] + "-" + serviceTag + "-" + digits[3:15]
}

func isServiceMade(id string) bool {
	return len(id) == 36 && id[18:24] == "-"+serviceTag+"-" && id[13:15] == "-7" && id[8] == '-'
}

func mayBeRetried(id string, now time.Time) bool {
	made, err := strconv.ParseInt(id[:8]+id[9:13], 16, 64)
	return err == nil && now.Sub(time.UnixMilli(made)).Abs() <= retryWithin
}
