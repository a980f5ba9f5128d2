// Checks whether a history of counters is linearizable: main HISTORY. Each line of the file is an
// operation; one whose outcome is not known may have happened at any time after it was asked for,
// or never. Exit code 0: it is.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"time"

	"github.com/anishathalye/porcupine"
)

const patience = 100 * time.Second

type operation struct {
	Client   int    `json:"client"`
	Counter  string `json:"counter"`
	Adds     bool   `json:"adds"`
	Asked    int64  `json:"asked"`
	Answered int64  `json:"answered"`
	Known    bool   `json:"known"`
	Value    int    `json:"value"`
}

var counters = porcupine.Model{
	Partition: func(history []porcupine.Operation) [][]porcupine.Operation {
		byCounter := map[string][]porcupine.Operation{}
		for _, one := range history {
			counter := one.Input.(operation).Counter
			byCounter[counter] = append(byCounter[counter], one)
		}
		parts := [][]porcupine.Operation{}
		for _, part := range byCounter {
			parts = append(parts, part)
		}
		return parts
	},
	Init: func() interface{} { return 0 },
	Step: func(state, input, _ interface{}) (bool, interface{}) {
		done := input.(operation)
		value := state.(int)
		if done.Adds {
			value++
		}
		return !done.Known || value == done.Value, value
	},
}

func read(path string) ([]porcupine.Operation, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	history := []porcupine.Operation{}
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		var one operation
		if err := json.Unmarshal(lines.Bytes(), &one); err != nil {
			return nil, fmt.Errorf("line %d: %w", len(history)+1, err)
		}
		end := one.Answered
		if !one.Known {
			end = math.MaxInt64
		}
		history = append(history, porcupine.Operation{
			ClientId: one.Client, Input: one, Call: one.Asked, Return: end})
	}
	return history, lines.Err()
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: linearizability HISTORY")
		os.Exit(2)
	}
	history, err := read(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	verdict := porcupine.CheckOperationsTimeout(counters, history, patience)
	fmt.Printf("%d operations: %s\n", len(history), verdict)
	if verdict != porcupine.Ok {
		os.Exit(1)
	}
}
