import ArgumentParser
import Engine
import Foundation

/// Speed or the same bits on every run.
struct KernelOptions: ParsableArguments {
  @Flag(help: "The same bits for the same seed and number of cores: kernels by rule, not by timing them once.") var deterministic = false

  var choice: KernelChoice { deterministic ? .fixed : .timed(.userCache(ProcessInfo.processInfo.environment)) }
}
