import Engine
import Foundation
import Host
import Testing
import Training

@Test(arguments: [
  ("flags\t\t: fpu avx2 avx512f avx512_bf16 sse", Precision.bfloat16, "AVX512-BF16"),
  ("vendor_id\t: AuthenticAMD\nflags\t\t: fpu avx2 avx512f avx512_bf16 sse", .bfloat16, "AVX512-BF16"),
  ("vendor_id\t: GenuineIntel\nflags\t\t: fpu avx2 avx512f avx512_bf16 sse", .float32, "without AMX"),
  ("vendor_id\t: GenuineIntel\nflags\t\t: fpu amx_bf16 amx_tile avx512_bf16", .bfloat16, "AMX and AVX512-BF16"),
  ("flags\t\t: fpu avx2 avx512f", .float32, "neither"), ("Features\t: asimd bf16", .float32, "neither"), ("", .float32, "neither"),
]) func automaticPrecisionFollowsTheProcessor(text: String, expected: Precision, reason: String) throws {
  let path = NSTemporaryDirectory() + "processors-\(UUID().uuidString)"
  defer { try? FileManager.default.removeItem(atPath: path) }
  try AtomicFile.write(Data("processor\t: 0\n\(text)\npower management:\n".utf8), to: path)
  let decision = PrecisionChoice.automatic.decided(processors: path)
  #expect(decision.precision == expected && decision.reason.contains(reason), "\(decision)")
  #expect(PrecisionChoice.float32.decided(processors: path).precision == .float32)
  #expect(PrecisionChoice.bfloat16.decided(processors: path).precision == .bfloat16)
}

@Test func withoutAListOfProcessorsThePrecisionIsFloat32() {
  let decision = PrecisionChoice.automatic.decided(processors: "/nowhere/cpuinfo")
  #expect(decision.precision == .float32 && decision.reason.contains("/nowhere/cpuinfo"))
}

@Test func aRunKeepsThePrecisionItBeganWith() throws {
  let tiny = try TinyCorpus(), folder = tiny.folder + "/run"
  let recipe = tiny.recipe { $0.precision = .automatic }
  var looks = 0
  let first = try Trainer(recipe, folder: folder)
  _ = try first.run(shouldStop: { looks += 1; return looks == 3 })
  #expect(try Checkpoint(reading: folder + "/last.safetensors").description.precision == first.precision)
  // As if it had begun on a machine that decides otherwise.
  let other: Precision = first.precision.precision == .float32 ? .bfloat16 : .float32
  var moved = try Checkpoint(reading: folder + "/last.safetensors")
  moved.description.precision = PrecisionDecision(precision: other, reason: "chosen on another machine")
  try moved.write(to: folder + "/last.safetensors")
  #expect(try Trainer(recipe, folder: folder).precision == moved.description.precision)
  // The same precision by name is the same run; the other one is not.
  var named = recipe
  named.precision = PrecisionChoice(other)
  #expect(try Trainer(named, folder: folder).step == 3)
  named.precision = PrecisionChoice(first.precision.precision)
  #expect(inputError { _ = try Trainer(named, folder: folder) }?.found.contains("another recipe") == true)
  // The folder's recipe says what ran.
  #expect(try CanonicalJSON.value(TrainingRecipe.self, from: AtomicFile.read(folder + "/recipe.json"), path: "").precision
    == PrecisionChoice(first.precision.precision))
}
