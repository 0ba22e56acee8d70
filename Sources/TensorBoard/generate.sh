#!/bin/sh
# Writes tensorboard_event.pb.swift anew: needs protoc (Debian: protobuf-compiler) and protoc-gen-swift, which
# `swift build --product protoc-gen-swift` makes in a checkout of swift-protobuf. Usage: ./generate.sh PATH/TO/protoc-gen-swift
cd "$(dirname "$0")" && protoc --plugin="protoc-gen-swift=$1" --swift_out=. --swift_opt=Visibility=Internal tensorboard_event.proto
