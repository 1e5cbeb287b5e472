// Makes go.txt: what the log of Go's checksum database, golang.org/x/mod/sumdb (v0.7.0), makes of
// the leaves that the tests use. The tests compare our own with it, byte for byte. On Debian:
//
//	apt-get install golang-go golang-golang-x-mod-dev
//	GO111MODULE=off GOPATH=/usr/share/gocode go run go.go > go.txt
package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"sort"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const name = "example.com/home"

var seed = bytes.Repeat([]byte{7}, 32)

// The leaf at an index: version 1, and for its commitment the SHA-256 of the index.
func leaf(index int64) []byte {
	var number [8]byte
	binary.BigEndian.PutUint64(number[:], uint64(index))
	commitment := sha256.Sum256(number[:])
	return append([]byte{1}, commitment[:]...)
}

func must[T any](value T, err error) T {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return value
}

func digest(bytes []byte) string {
	sum := sha256.Sum256(bytes)
	return base64.StdEncoding.EncodeToString(sum[:])
}

func main() {
	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		hashes := make([]tlog.Hash, len(indexes))
		for i, index := range indexes {
			hashes[i] = stored[index]
		}
		return hashes, nil
	})
	size := int64(0)
	for _, wanted := range []int64{1, 2, 3, 7, 255, 256, 257, 511, 512, 600, 70000} {
		for ; size < wanted; size++ {
			stored = append(stored, must(tlog.StoredHashes(size, leaf(size), reader))...)
		}
		root := must(tlog.TreeHash(size, reader))
		fmt.Println("root", size, root)
		step := size/600 + 1
		var proofs []byte
		for index := int64(0); index < size; index += step {
			for _, hash := range must(tlog.ProveRecord(size, index, reader)) {
				proofs = append(proofs, hash[:]...)
			}
		}
		fmt.Println("inclusion", size, digest(proofs))
		proofs = nil
		for old := int64(1); old <= size; old += step {
			for _, hash := range must(tlog.ProveTree(size, old, reader)) {
				proofs = append(proofs, hash[:]...)
			}
		}
		fmt.Println("consistency", size, digest(proofs))
		last := map[string]tlog.Tile{}
		for _, tile := range tlog.NewTiles(8, 0, size) {
			// NewTiles lists every width on the way; a published log has the widest of each.
			key := strings.Split(tile.Path(), ".p/")[0]
			if tile.W >= last[key].W {
				last[key] = tile
			}
		}
		lines := []string{}
		for _, tile := range last {
			path := strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
			lines = append(lines, path+" "+digest(must(tlog.ReadTileData(tile, reader)))+"\n")
		}
		sort.Strings(lines)
		fmt.Println("tiles", size, digest([]byte(strings.Join(lines, ""))))

		public := ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey)
		vkey := must(note.NewEd25519VerifierKey(name, public))
		id := strings.Split(vkey, "+")[1]
		secret := base64.StdEncoding.EncodeToString(append([]byte{1}, seed...))
		signer := must(note.NewSigner("PRIVATE+KEY+" + name + "+" + id + "+" + secret))
		text := fmt.Sprintf("%s\n%d\n%v\n", name, size, root)
		signed := must(note.Sign(&note.Note{Text: text}, signer))
		fmt.Println("key", size, vkey)
		fmt.Println("note", size, base64.StdEncoding.EncodeToString(signed))
	}
}
