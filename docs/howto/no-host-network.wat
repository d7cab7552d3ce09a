;; A policy that refuses Pods which want the host's network: whatever has `"hostNetwork":true` in it.
;;
;; Policies are written in Rust, Go, Rego or JavaScript, with an SDK that reads the request. This one is small enough to be
;; read as it is run: it looks for a text in the request's JSON.
(module
  (import "wapc" "__guest_request" (func $request (param i32 i32)))
  (import "wapc" "__guest_response" (func $response (param i32 i32)))
  (import "wapc" "__guest_error" (func $error (param i32 i32)))
  (memory (export "memory") 64)
  (data (i32.const 0) "\"hostNetwork\":true")
  (data (i32.const 64) "{\"accepted\":true}")
  (data (i32.const 128) "{\"accepted\":false,\"message\":\"no Pod may use the network of its host\"}")
  (data (i32.const 256) "{\"valid\":true}")
  (data (i32.const 320) "\"v1\"")

  ;; Whether the payload, which begins at 4096, has the text in it.
  (func $found (param $size i32) (result i32)
    (local $place i32) (local $match i32)
    (loop $next
      (if (i32.ge_s (local.get $place) (i32.sub (local.get $size) (i32.const 17))) (then (return (i32.const 0))))
      (local.set $match (i32.const 0))
      (loop $compare
        (if (i32.eq
              (i32.load8_u (i32.add (i32.const 4096) (i32.add (local.get $place) (local.get $match))))
              (i32.load8_u (local.get $match)))
          (then
            (local.set $match (i32.add (local.get $match) (i32.const 1)))
            (if (i32.eq (local.get $match) (i32.const 18)) (then (return (i32.const 1))))
            (br $compare))))
      (local.set $place (i32.add (local.get $place) (i32.const 1)))
      (br $next))
    (i32.const 0))

  ;; Operations are told by the length of their names: validate, validate_settings, protocol_version.
  (func (export "__guest_call") (param $operation i32) (param $payload i32) (result i32)
    (if (i32.gt_u (local.get $payload) (i32.const 4000000))
      (then (call $error (i32.const 0) (i32.const 0)) (return (i32.const 0))))
    (call $request (i32.const 1024) (i32.const 4096))
    (if (i32.eq (local.get $operation) (i32.const 17))
      (then (call $response (i32.const 256) (i32.const 14)) (return (i32.const 1))))
    (if (i32.eq (local.get $operation) (i32.const 16))
      (then (call $response (i32.const 320) (i32.const 4)) (return (i32.const 1))))
    (if (call $found (local.get $payload))
      (then (call $response (i32.const 128) (i32.const 69)))
      (else (call $response (i32.const 64) (i32.const 17))))
    (i32.const 1)))
