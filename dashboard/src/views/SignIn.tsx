import { useState } from 'preact/hooks';
import { signIn } from '../data/source';

export function SignIn() {
  const [token, setToken] = useState('');
  const [answer, setAnswer] = useState('');
  const submit = async (event: Event) => {
    event.preventDefault();
    setAnswer('Asking …');
    try {
      if (await signIn(token)) location.reload();
      else setAnswer('This is not the access token.');
    } catch {
      setAnswer('The coordinator does not answer.');
    }
  };
  return (
    <main class="alone">
      <h1>gridsweep</h1>
      <form onSubmit={submit} class="sign-in">
        <label for="token">access token</label>
        <input
          id="token"
          type="password"
          autocomplete="current-password"
          required
          autofocus
          value={token}
          onInput={(event) => setToken(event.currentTarget.value)}
          aria-describedby="answer"
        />
        <button type="submit" class="button">
          Sign in
        </button>
        <p id="answer" role="status">
          {answer}
        </p>
      </form>
    </main>
  );
}
