// Verifies a Loggia ledger with golang.org/x/mod/sumdb, the code behind Go's checksum database.
//
// Usage: ledger_oracle FOLDER VKEY
//
// FOLDER holds ledger/ (the ledger), leaf and entry.tlog-proof (one entry and its proof) and
// old-checkpoint (an earlier checkpoint). It checks the signatures, that every tile and entry leads to
// the signed root, the proof file, and that the earlier checkpoint is a prefix of the later one.
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8

// tiles reads tiles of the C2SP layout; Go's own has the height in its paths.
type tiles struct{ dir string }

func (t tiles) Height() int { return height }

func (t tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range wanted {
		data, err := os.ReadFile(filepath.Join(t.dir, path(tile.Path(), "tile/8/")))
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}

func (t tiles) SaveTiles([]tlog.Tile, [][]byte) {}

func path(ours, prefix string) string { return "tile/" + strings.TrimPrefix(ours, prefix) }

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "refused:", err)
		os.Exit(1)
	}
}

func refuse(what string) { check(fmt.Errorf("%s", what)) }

func read(parts ...string) []byte {
	data, err := os.ReadFile(filepath.Join(parts...))
	check(err)
	return data
}

func checkpoint(data []byte, verifier note.Verifier) tlog.Tree {
	n, err := note.Open(data, note.VerifierList(verifier))
	check(err)
	lines := strings.Split(n.Text, "\n")
	if len(lines) < 4 || lines[0] != verifier.Name() {
		refuse("the checkpoint is of another log")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	check(err)
	root, err := tlog.ParseHash(lines[2])
	check(err)
	return tlog.Tree{N: size, Hash: root}
}

func main() {
	folder, ledger := os.Args[1], filepath.Join(os.Args[1], "ledger")
	verifier, err := note.NewVerifier(os.Args[2])
	check(err)
	tree := checkpoint(read(ledger, "checkpoint"), verifier)
	hashes := tlog.TileHashReader(tree, tiles{ledger})

	// Every entry of every bundle, against tiles that lead to the signed root.
	for at := int64(0); at < tree.N; {
		width := tree.N - at
		if width > 256 {
			width = 256
		}
		tile := tlog.Tile{H: height, L: -1, N: at / 256, W: int(width)}
		bundle := read(ledger, strings.Replace(tile.Path(), "tile/8/data/", "tile/entries/", 1))
		for ; len(bundle) > 0; at++ {
			length := int(binary.BigEndian.Uint16(bundle))
			entry := bundle[2 : 2+length]
			bundle = bundle[2+length:]
			found, err := hashes.ReadHashes([]int64{tlog.StoredHashIndex(0, at)})
			check(err)
			if found[0] != tlog.RecordHash(entry) {
				refuse(fmt.Sprintf("entry %d is not in the tree", at))
			}
		}
	}

	// The proof file, and the same proof made by Go from our tiles.
	text := string(read(folder, "entry.tlog-proof"))
	blank := strings.Index(text, "\n\n")
	lines := strings.Split(text[:blank], "\n")
	if lines[0] != "c2sp.org/tlog-proof@v1" {
		refuse("not a proof file")
	}
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[1], "index "), 10, 64)
	check(err)
	var proof tlog.RecordProof
	for _, line := range lines[2:] {
		data, err := base64.StdEncoding.DecodeString(line)
		check(err)
		var hash tlog.Hash
		copy(hash[:], data)
		proof = append(proof, hash)
	}
	under := checkpoint([]byte(text[blank+2:]), verifier)
	leaf := tlog.RecordHash(read(folder, "leaf"))
	check(tlog.CheckRecord(proof, under.N, under.Hash, index, leaf))
	made, err := tlog.ProveRecord(under.N, index, hashes)
	check(err)
	if len(made) != len(proof) {
		refuse("the proofs differ")
	}
	for i := range made {
		if !bytes.Equal(made[i][:], proof[i][:]) {
			refuse("the proofs differ")
		}
	}

	// The earlier checkpoint is a prefix.
	old := checkpoint(read(folder, "old-checkpoint"), verifier)
	consistent, err := tlog.ProveTree(tree.N, old.N, hashes)
	check(err)
	check(tlog.CheckTree(consistent, tree.N, tree.Hash, old.N, old.Hash))
	fmt.Printf("verified %d entries\n", tree.N)
}
